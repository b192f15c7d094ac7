using ConvNet.Client.Cluster;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using ConvNet.Silo.Processes;
using Serilog.Core;

namespace ConvNet.Client.Commands;

/// <summary>A run whose job the cluster still knows: it needs nobody who goes on from its checkpoint, but somebody who follows it, or takes it up.</summary>
internal static class LiveRun
{
    /// <param name="changes">Where or with how many workers the run goes on is to change.</param>
    /// <returns>The exit code of the job that was followed; null if there is none, or it is orphaned and the run is to go on in another way.</returns>
    /// <exception cref="ConvNetException">The job is live and the run is to go on in another way (exit code 6).</exception>
    public static async Task<ExitCode?> TryAttachAsync(Terminal terminal, RunFolder home, bool changes, RunChoices choices)
    {
        if (choices.Cluster is not { } place || home.LastJob() is not { } id)
        {
            return null;
        }

        using var stop = new StopSignal(_ => { });
        await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(place, Logger.None);
        try
        {
            JobStatus status = await JobCommand.AskAsync(cluster.Job(id), id, stop.Token, cluster.Witness);
            if (status.HasEnded || status.RunFolder != home.FullPath)
            {
                return null;
            }

            if (!changes && choices is { Detach: false, JobId: null, StopAfter: null })
            {
                (ExitCode? code, status) = await AwaitClientAsync(terminal, cluster, home, status, choices.Json, stop.Token);
                return code ?? await JobAttachCommand.AttachAsync(terminal, cluster, status, choices.Json, stop);
            }

            return status.State == JobState.Orphaned ? null : throw new ConvNetException(
                ExitCode.Conflict,
                $"job '{id}' of this run is {status.State.InWords()} at step {status.Step} of {status.TotalSteps}: it goes on as it is. Leave the options " +
                $"out to follow it, or end it first with 'convnet job cancel {id} {place.Arguments}'.");
        }
        catch (ConvNetException e) when (e.ExitCode == ExitCode.BadInput)
        {
            // The cluster does not know it any more.
            return null;
        }
        catch (OperationCanceledException) when (stop.Requested is { } signal)
        {
            return signal;
        }
    }

    /// <summary>
    /// Nobody writes the run folder of a job that is live: its client has just gone away, which the job finds out when the lease is over. Until then this
    /// console waits, and holds the folder.
    /// </summary>
    /// <returns>The exit code of a job that has ended meanwhile, or null, and how the job is now.</returns>
    private static async Task<(ExitCode? Code, JobStatus Status)> AwaitClientAsync(
        Terminal terminal, ClusterConnection cluster, RunFolder home, JobStatus status, bool json, CancellationToken stop)
    {
        if (status.State == JobState.Orphaned || !status.HasClient || TryLock(home) is not { } held)
        {
            return (null, status);
        }

        using (held)
        {
            using var view = new RunStream(RunViews.For(terminal, status.JobId, json));
            using var unseen = new RunStream([]);
            view.Publish(new RunEvent.Notice(
                $"Job {status.JobId}, {status.Model} on {status.Data}, is {status.State.InWords()} at step {status.Step} of {status.TotalSteps}, and nobody " +
                "writes its run folder here: if its client is gone, this console takes its place in some seconds. Ctrl-C leaves it alone."));
            var follower = new RunFollower(cluster.Job(status.JobId), status.JobId, unseen, firstStep: null, TimeProvider.System)
            {
                Witness = cluster.Witness,
                Tell = waits => view.Publish(new RunEvent.Warning(waits)),
            };
            RunEvent end = await follower.FollowAsync(stop);
            return follower.Latest is { State: JobState.Orphaned } orphaned
                ? (null, orphaned)
                : (JobWaitCommand.Tell(end, follower, view), status);
        }
    }

    /// <returns>Null if somebody holds the folder, or nobody may write there.</returns>
    private static IDisposable? TryLock(RunFolder home)
    {
        try
        {
            return home.Lock();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ConvNetException { ExitCode: ExitCode.Conflict })
        {
            return null;
        }
    }
}
