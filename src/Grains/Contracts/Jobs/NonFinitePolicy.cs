namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>What becomes of a step whose values are not finite, by arithmetic and not by a faulty machine.</summary>
public enum NonFinitePolicy
{
    /// <summary>It is skipped: nothing is updated. The third one in a row ends the job.</summary>
    Skip,

    /// <summary>It ends the job.</summary>
    Stop,
}
