namespace ConvNet.Grains.Contracts.Messages;

public enum PullVerdict
{
    Ready,

    /// <summary>The version does not exist yet: wait for the commit.</summary>
    NotYet,

    /// <summary>The version has been overwritten; a generation that needs it must go back to a checkpoint.</summary>
    TooOld,

    /// <summary>The request is of an older generation.</summary>
    Stale,

    /// <summary>There is no such chunk.</summary>
    Rejected,
}
