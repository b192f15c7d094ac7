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
    /// Loads the data set of a job that has reserved the worker, and builds the network, so that an assignment can begin at once.
    /// </summary>
    [Alias("Load"), AlwaysInterleave, ResponseTimeout("00:03:00")]
    Task LoadAsync(string jobId, string jobJson, int threads);

    /// <summary>
    /// Takes up a job: loads the data set, checks its hash, builds the network. Or takes up a newer generation of the same job: what the older
    /// one was doing ends without effect, and data, network and threads stay. The job has reserved the worker.
    /// </summary>
    [Alias("Prepare"), AlwaysInterleave, ResponseTimeout("00:03:00")]
    Task<Answer> PrepareAsync(Assignment assignment);

    /// <summary>
    /// Trains the header's step … <paramref name="endStep"/> − 1; the step coordinator tells the job when they are committed.
    /// </summary>
    /// <param name="order">The job's number of the order: one that was carried out already is acknowledged and not carried out again.</param>
    [Alias("Run"), AlwaysInterleave]
    Task<Answer> RunAsync(MessageHeader header, long order, long endStep);

    /// <summary>
    /// Evaluates blocks <paramref name="firstBlock"/> … <paramref name="endBlock"/> − 1 of 250 test samples at the header's version;
    /// ends with <see cref="IJobControlGrain.EvaluationDoneAsync"/>.
    /// </summary>
    [Alias("Evaluate"), AlwaysInterleave]
    Task<Answer> EvaluateAsync(MessageHeader header, long order, int firstBlock, int endBlock);

    [Alias("Status"), AlwaysInterleave]
    Task<WorkerStatus> StatusAsync();

    /// <summary>The id of the job that has the worker, or null.</summary>
    [Alias("Holder"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task<string?> HolderAsync();

    /// <summary>Gives the worker to a job if it is free, and returns the id of the job that has it now.</summary>
    [Alias("Reserve"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task<string> ReserveAsync(string jobId);

    /// <summary>
    /// Gives the job up, frees its memory and ends the reservation. Does nothing if another job or a newer generation has the worker by now;
    /// generation 0 ends only a reservation without an assignment.
    /// </summary>
    [Alias("Release")]
    Task ReleaseAsync(MessageHeader header);
}
