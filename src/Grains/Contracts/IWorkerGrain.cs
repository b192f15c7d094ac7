using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
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
