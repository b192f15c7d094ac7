namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>What a worker's engine is doing: it tells the one that holds up a step from those that wait for it.</summary>
public enum WorkerPhase
{
    /// <summary>It has no order.</summary>
    Idle,

    /// <summary>Forward or backward.</summary>
    Computing,

    /// <summary>For the sums of the other workers.</summary>
    WaitingForBatchNorm,

    /// <summary>For the servers to take the rest of its gradients and its report.</summary>
    WaitingForPush,

    /// <summary>For a version: until every other worker has done its part of the step before.</summary>
    WaitingForParameters,

    /// <summary>Forward on test samples.</summary>
    Evaluating,
}
