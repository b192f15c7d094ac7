using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using Orleans.Concurrency;

namespace ConvNet.Grains.Contracts;

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
