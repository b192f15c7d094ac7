namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>
/// What a worker has spent on the training steps that it has completed, over all its generations of the job: the difference between two moments
/// tells its pace.
/// </summary>
/// <param name="Shards">Data shards, summed over the steps.</param>
/// <param name="ComputeSeconds">Without waits.</param>
/// <param name="Seconds">With waits.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.CompletedSteps")]
public readonly record struct CompletedSteps(
    [property: Id(0)] long Steps, [property: Id(1)] long Shards, [property: Id(2)] double ComputeSeconds, [property: Id(3)] double Seconds);
