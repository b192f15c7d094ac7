namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>Whether jobs may take anything on a silo.</summary>
public enum SiloState
{
    Active,

    /// <summary>It is being emptied, by order: nothing is placed there any more, and jobs leave it.</summary>
    Draining,

    /// <summary>By order, nothing of a job is there, and nothing is placed there, until the silo is started again.</summary>
    Drained,

    /// <summary>It leaves the cluster as soon as jobs have left it.</summary>
    Stopping,
}
