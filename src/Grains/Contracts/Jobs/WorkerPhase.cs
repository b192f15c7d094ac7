namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>What a worker is doing.</summary>
public enum WorkerPhase
{
    Idle,
    Computing,
    WaitingForBatchNorm,
    WaitingForPush,
    WaitingForParameters,
    Evaluating,
}
