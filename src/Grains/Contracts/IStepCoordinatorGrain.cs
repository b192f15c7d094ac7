using ConvNet.Engine.Optimizers;
using Orleans.Concurrency;

namespace ConvNet.Grains.Contracts;

/// <summary>
/// Decides when a step is complete and commits it everywhere, once. Sits beside partition 0 in an activation of its own, so that a
/// commit never waits behind bulk data. The key is "{silo}/{job}".
/// </summary>
[Alias("ConvNet.IStepCoordinatorGrain")]
public interface IStepCoordinatorGrain : IGrainWithStringKey
{
    [Alias("Begin")]
    Task BeginAsync(ServerAssignment assignment, CheckpointPosition position);

    [Alias("ReportWorker"), AlwaysInterleave]
    Task<PushReply> ReportWorkerAsync(WorkerStepReport report);

    [Alias("ReportPartition"), AlwaysInterleave]
    Task<PushReply> ReportPartitionAsync(PartitionStepReport report);

    /// <summary>All batch norms of a step are complete.</summary>
    /// <param name="nonFinite">The first batch norm with a NaN or infinity and the worker that sent it, or null.</param>
    [Alias("ReportBatchNorm"), AlwaysInterleave]
    Task<PushReply> ReportBatchNormAsync(long generation, long step, string? nonFinite, string? nonFiniteWorker);

    /// <summary>Asks for <see cref="IJobControlGrain.StepsCommittedAsync"/> when this many steps of the job are complete.</summary>
    [Alias("NotifyAt")]
    Task NotifyAtAsync(long generation, long step);

    [Alias("Progress"), AlwaysInterleave]
    Task<StepProgress> ProgressAsync();

    [Alias("Release")]
    Task ReleaseAsync();
}

/// <summary>A worker's part of a step: the metrics of its subtree roots, in the order of its plan.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.WorkerStepReport")]
public sealed record WorkerStepReport(
    [property: Id(0)] long Generation,
    [property: Id(1)] long Step,
    [property: Id(2)] int Worker,
    [property: Id(3)] BlockMetrics[] Metrics);

/// <summary>A partition holds the whole of a step.</summary>
/// <param name="NonFinite">The first tensor with a NaN or infinity, or null.</param>
/// <param name="NonFiniteWorker">Who sent it, or null if only the sum is not finite.</param>
/// <param name="GradientSquares">Σg² of each of its blocks, in local order.</param>
/// <param name="WeightSquares">Σw² of each of its blocks if the optimizer asks for it, otherwise empty.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.PartitionStepReport")]
public sealed record PartitionStepReport(
    [property: Id(0)] long Generation,
    [property: Id(1)] long Step,
    [property: Id(2)] int Partition,
    [property: Id(3)] string? NonFinite,
    [property: Id(4)] double[] GradientSquares,
    [property: Id(5)] double[] WeightSquares,
    [property: Id(6)] string? NonFiniteWorker);

/// <summary>Where a job goes on: the start, or a checkpoint.</summary>
/// <param name="Step">Steps completed.</param>
/// <param name="SkippedSteps">Of those, skipped for non-finite gradients.</param>
/// <param name="SkipsInARow">Of those, since the last applied step.</param>
/// <param name="Epoch">Sums of the epoch in progress.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.CheckpointPosition")]
public sealed record CheckpointPosition(
    [property: Id(0)] long Step,
    [property: Id(1)] long SkippedSteps,
    [property: Id(2)] int SkipsInARow,
    [property: Id(3)] BlockMetrics Epoch)
{
    public static CheckpointPosition Start { get; } = new(0, 0, 0, default);

    /// <summary>Steps that moved the weights and the running statistics.</summary>
    public long Updates => Step - SkippedSteps;
}

/// <summary>How far a job is, as the coordinator sees it.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.StepProgress")]
public sealed record StepProgress
{
    /// <summary>Steps committed, and the sums of the epoch in progress, or of the whole last epoch right at its end.</summary>
    [Id(0)] public CheckpointPosition Position { get; init; } = CheckpointPosition.Start;

    /// <summary>Training samples and seconds in training steps, the first 5 steps left out.</summary>
    [Id(1)] public long TimedSamples { get; init; }

    [Id(2)] public double TimedSeconds { get; init; }

    [Id(3)] public StepRow[] Recent { get; init; } = [];

    [Id(4)] public string[] Warnings { get; init; } = [];
}

/// <summary>What a commit says to the partitions: everything that depends on the step or on all parameters together.</summary>
/// <param name="Skip">True: version t+1 is version t (non-finite gradients).</param>
/// <param name="TensorRates">For LARS the trust ratio of each tensor, otherwise empty.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.CommitOrder")]
public sealed record CommitOrder(
    [property: Id(0)] bool Skip,
    [property: Id(1)] double LearningRate,
    [property: Id(2)] double ClipFactor,
    [property: Id(3)] double BiasCorrection1,
    [property: Id(4)] double BiasCorrection2Root,
    [property: Id(5)] double[] TensorRates)
{
    public static CommitOrder Skipped { get; } = new(true, 0, 0, 0, 0, []);

    public static CommitOrder From(StepSettings settings) =>
        new(false, settings.LearningRate, settings.ClipFactor, settings.BiasCorrection1, settings.BiasCorrection2Root, settings.TensorRates);

    public StepSettings ToSettings() => new(LearningRate, ClipFactor, BiasCorrection1, BiasCorrection2Root, TensorRates);
}
