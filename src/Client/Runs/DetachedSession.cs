using System.Diagnostics;
using ConvNet.Client.Cluster;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using Serilog.Core;

namespace ConvNet.Client.Runs;

/// <summary>Submits a job that nobody needs to wait for: the cluster writes its run folder.</summary>
internal sealed class DetachedSession(RunRequest request)
{
    /// <summary>What is wrong with the run folder shows soon; a job that has to wait for workers is left alone.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly ClusterContact _contact = new(() => $"job '{request.JobId}'", TimeProvider.System);

    /// <returns>What the job says when it has begun, or waits.</returns>
    /// <exception cref="ConvNetException">The cluster does not take the job, or the job cannot have its run folder.</exception>
    public async Task<JobStatus> SubmitAsync()
    {
        await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(request.Cluster!, Logger.None);
        IJobGrain job = cluster.Job(request.JobId);
        EvaluationResult[] evaluations = MetricsFile.EvaluationsUntil(Path.Combine(request.Folder, MetricsFile.Name), request.StartStep);
        JobSubmission submission = TrainingRun.Compose(request, evaluations);
        await _contact.AskAsync(() => job.SubmitAsync(submission));
        var starting = Stopwatch.StartNew();
        string? sentTo = null;
        while (true)
        {
            JobStatus status = await _contact.AskAsync(() => job.StatusAsync(new StatusQuery()));
            if (status.Failure is { } failure && (ExitCode)failure.ExitCode is (ExitCode.BadInput or ExitCode.Conflict or ExitCode.Resources))
            {
                throw new ConvNetException((ExitCode)failure.ExitCode, failure.Message);
            }

            if (status.Checkpoints is { AwaitsUpload: true } place && place.Writer != sentTo && request.Checkpoint is { } checkpoint)
            {
                sentTo = await TrySendAsync(cluster.Grains.GetGrain<ICheckpointStoreGrain>(place.Writer), checkpoint) ? place.Writer : null;
                starting.Restart();
            }
            else if (status.State != JobState.Queued || starting.Elapsed > StartPatience)
            {
                return status;
            }

            await Task.Delay(Poll);
        }
    }

    /// <returns>False if the silo does not answer any more: the job looks for another one, and says how long it waits for its client.</returns>
    private async Task<bool> TrySendAsync(ICheckpointStoreGrain store, string checkpoint)
    {
        try
        {
            await CheckpointTransfer.SendAsync(store, _contact, checkpoint);
            return true;
        }
        catch (Exception e) when (GrainFailure.From(e).ExitCode == ExitCode.Environment)
        {
            return false;
        }
    }
}
