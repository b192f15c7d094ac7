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

    /// <summary>The header's number of steps is committed by every server; the progress is that of the last of them.</summary>
    [Alias("StepsCommitted"), AlwaysInterleave]
    Task<Answer> StepsCommittedAsync(MessageHeader header, StepProgress progress);

    /// <summary>A sign of life of a worker, some times a second while it has an assignment.</summary>
    [Alias("WorkerSeen"), AlwaysInterleave, ResponseTimeout("00:00:02")]
    Task<Answer> WorkerSeenAsync(MessageHeader header, WorkerStatus status);

    /// <summary>True while the job may still need its workers.</summary>
    [Alias("IsLive"), AlwaysInterleave]
    Task<bool> IsLiveAsync();

    /// <summary>Something failed for good; the job stops with this.</summary>
    /// <param name="who">The part that met it.</param>
    [Alias("Failed"), AlwaysInterleave]
    Task<Answer> FailedAsync(MessageHeader header, string who, JobFailure failure);
}
