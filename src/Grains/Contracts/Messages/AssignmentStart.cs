namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Where the servers of a generation have their state from.</summary>
public enum AssignmentStart
{
    /// <summary>From the job's seed: only at step 0.</summary>
    Fresh,

    /// <summary>From a checkpoint of the first step, which is installed before it runs; what a server holds is dropped.</summary>
    Restore,

    /// <summary>From the generation before: a server that holds no state of the job refuses.</summary>
    GoOn,
}
