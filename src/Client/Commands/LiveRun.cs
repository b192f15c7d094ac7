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
            JobStatus status = await JobCommand.AskAsync(cluster.Job(id), id, stop.Token);
            if (status.HasEnded || status.RunFolder != home.FullPath)
            {
                return null;
            }

            if (!changes && choices is { Detach: false, JobId: null, StopAfter: null })
            {
                // Its client may have gone away just now, which the job finds out when the lease is over: whoever resumes it becomes its client then.
                return await JobAttachCommand.AttachAsync(terminal, cluster, status, choices.Json, stop, takesUp: true);
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
}
