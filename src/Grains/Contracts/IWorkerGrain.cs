using Orleans.Concurrency;

namespace ConvNet.Grains.Contracts;

/// <summary>
/// A worker: one compute device of one silo; the key is "{silo}/{device}". It runs the engine on threads of its own, so every call
/// returns at once; the end of an order, good or bad, is told to the job grain.
/// </summary>
[Alias("ConvNet.IWorkerGrain")]
public interface IWorkerGrain : IGrainWithStringKey
{
    /// <summary>
    /// Takes up a job, or a new assignment of it: loads the data set, checks its hash, builds the network. The job has
    /// reserved the worker.
    /// </summary>
    [Alias("Prepare"), ResponseTimeout("00:03:00")]
    Task PrepareAsync(WorkerAssignment assignment);

    /// <summary>
    /// Trains steps <paramref name="firstStep"/> … <paramref name="endStep"/> − 1; the step coordinator tells the job when they are committed.
    /// </summary>
    [Alias("Run"), AlwaysInterleave]
    Task RunAsync(string jobId, long generation, long firstStep, long endStep);

    /// <summary>
    /// Evaluates blocks <paramref name="firstBlock"/> … <paramref name="endBlock"/> − 1 of 250 test samples at a version; ends with
    /// <see cref="IJobControlGrain.EvaluationDoneAsync"/>.
    /// </summary>
    [Alias("Evaluate"), AlwaysInterleave]
    Task EvaluateAsync(string jobId, long generation, long version, int firstBlock, int endBlock);

    [Alias("Status"), AlwaysInterleave]
    Task<WorkerStatus> StatusAsync();

    /// <summary>Gives the worker to a job if it is free, and returns the id of the job that has it now.</summary>
    [Alias("Reserve"), AlwaysInterleave]
    Task<string> ReserveAsync(string jobId);

    /// <summary>Gives the job up, frees its memory and ends the reservation. Does nothing if another job has the worker by now.</summary>
    [Alias("Release")]
    Task ReleaseAsync(string jobId);
}

/// <summary>What a worker must know to derive all its work by itself.</summary>
/// <param name="Worker">Index among the job's workers, in shard order.</param>
/// <param name="Partitions">Keys of the parameter-server grains, by partition.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.WorkerAssignment")]
public sealed record WorkerAssignment(
    [property: Id(0)] string JobId,
    [property: Id(1)] string JobJson,
    [property: Id(2)] long Generation,
    [property: Id(3)] int Worker,
    [property: Id(4)] int FirstShard,
    [property: Id(5)] int EndShard,
    [property: Id(6)] int Threads,
    [property: Id(7)] string[] Partitions,
    [property: Id(8)] string ServerKey);

/// <summary>What the parts of a job tell the job grain; the key is the job id.</summary>
[Alias("ConvNet.IJobControlGrain")]
public interface IJobControlGrain : IGrainWithStringKey
{
    /// <summary>Metrics of each block, in block order.</summary>
    [Alias("EvaluationDone"), AlwaysInterleave]
    Task EvaluationDoneAsync(long generation, int worker, int firstBlock, BlockMetrics[] blocks);

    /// <summary>The steps that the job was asked for are committed by every server; the progress is that of the last of them.</summary>
    [Alias("StepsCommitted"), AlwaysInterleave]
    Task StepsCommittedAsync(long generation, StepProgress progress);

    /// <summary>True while the job may still need its workers.</summary>
    [Alias("IsLive"), AlwaysInterleave]
    Task<bool> IsLiveAsync();

    /// <summary>Something failed for good; the job stops with this.</summary>
    [Alias("Failed"), AlwaysInterleave]
    Task FailedAsync(long generation, string who, JobFailure failure);
}

/// <summary>Loss sum and correct answers of one block of test samples.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.BlockMetrics")]
public readonly record struct BlockMetrics([property: Id(0)] double LossSum, [property: Id(1)] long Correct, [property: Id(2)] long Count);
