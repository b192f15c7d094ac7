using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using Orleans.Concurrency;

namespace ConvNet.Grains.Contracts;

/// <summary>What the parts of a job tell the job grain; the key is the job id.</summary>
[Alias("ConvNet.IJobControlGrain")]
public interface IJobControlGrain : IGrainWithStringKey
{
    /// <summary>A worker has evaluated consecutive blocks of test samples at the header's version.</summary>
    /// <param name="blocks">In block order.</param>
    [Alias("EvaluationDone"), AlwaysInterleave]
    Task<Answer> EvaluationDoneAsync(MessageHeader header, int firstBlock, Metrics[] blocks);

    /// <summary>
    /// So many steps are committed by every server: told a few times a second, and at once when the step is due that the job has asked for. The rows
    /// are those that the job has not acknowledged; the same ones come again if an answer is lost.
    /// </summary>
    [Alias("JobProgress"), AlwaysInterleave]
    Task<Answer> ProgressAsync(MessageHeader header, StepProgress progress);

    /// <summary>
    /// True while the job may still need this server's state or this worker, in this generation or the next: the job has not ended, and the server is one
    /// of its own, or the worker reserved for it.
    /// </summary>
    /// <param name="part">The server's or worker's key.</param>
    [Alias("Needs"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task<bool> NeedsAsync(string part);

    /// <summary>True while the job wants the checkpoint of this step: it has not ended, nor gone back, nor begun to be led by another grain.</summary>
    /// <param name="writer">The key of the grain that has written it, and is about to give it its name.</param>
    [Alias("WantsCheckpoint"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task<bool> WantsCheckpointAsync(string writer, long step);

    /// <summary>A sign of life of a worker, some times a second while it has an assignment.</summary>
    [Alias("WorkerSeen"), AlwaysInterleave, ResponseTimeout("00:00:02")]
    Task<Answer> WorkerSeenAsync(MessageHeader header, WorkerStatus status);

    /// <summary>True while the job may still need its workers.</summary>
    [Alias("IsLive"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task<bool> IsLiveAsync();

    /// <summary>True while the job may go on from a checkpoint by itself: it has not ended.</summary>
    [Alias("NeedsCheckpoints"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task<bool> NeedsCheckpointsAsync();

    /// <summary>Lets go of a job that has ended: nothing of it stays in memory.</summary>
    /// <returns>False if it has not ended.</returns>
    [Alias("Forget"), AlwaysInterleave]
    Task<bool> ForgetAsync();

    /// <summary>
    /// A silo is being emptied: the job takes nothing there any more, and leaves it at the next step boundary at which it rests. Told again and again
    /// until nothing of the job is there.
    /// </summary>
    /// <param name="address">As Orleans writes it: another silo that is started under the name is not meant.</param>
    /// <param name="stops">Its process is about to end; else it is drained, and stays.</param>
    /// <returns>
    /// What the job still has to do before, for "the silo waits for ...": "job 'a', which finishes its step and saves". Null: nothing is there.
    /// </returns>
    [Alias("LeaveSilo"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task<string?> LeaveSiloAsync(string silo, string address, bool stops);

    /// <summary>The values of the open step cannot be trusted yet: the job runs it again elsewhere, or goes on without a worker.</summary>
    [Alias("Found"), AlwaysInterleave]
    Task<Answer> FoundAsync(MessageHeader header, StepFinding finding);

    /// <summary>The standby of a server could take its place from now on.</summary>
    /// <param name="server">Its number (<see cref="ServerKeys"/>).</param>
    [Alias("Protected"), AlwaysInterleave]
    Task<Answer> ProtectedAsync(MessageHeader header, int server);

    /// <summary>A server cannot reach its standby any more.</summary>
    /// <param name="reason">A clause that follows the standby.</param>
    [Alias("LostStandby"), AlwaysInterleave]
    Task<Answer> LostStandbyAsync(MessageHeader header, int server, string reason);

    /// <summary>Something failed for good; the job stops with this.</summary>
    /// <param name="who">The part that met it.</param>
    [Alias("Failed"), AlwaysInterleave]
    Task<Answer> FailedAsync(MessageHeader header, string who, JobFailure failure);
}
