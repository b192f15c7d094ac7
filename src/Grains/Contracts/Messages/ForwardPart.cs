namespace ConvNet.Grains.Contracts.Messages;

/// <summary>What a partition tells its standby with one message.</summary>
public enum ForwardPart
{
    /// <summary>Forget what is there: the state of the header's version follows in pieces.</summary>
    Reset,

    /// <summary>A chunk of the weights or of an optimizer slot, of the header's version.</summary>
    State,

    /// <summary>The gradient of one chunk in the header's step, summed over the whole batch.</summary>
    Gradient,

    /// <summary>How the header's step ends.</summary>
    Decision,
}
