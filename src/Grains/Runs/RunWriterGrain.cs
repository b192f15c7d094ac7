using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Placement;
using Microsoft.Extensions.Logging;
using Orleans.Placement;

namespace ConvNet.Grains.Runs;

[PinnedPlacement, Immovable, KeepAlive]
internal sealed partial class RunWriterGrain(ILogger<RunWriterGrain> logger) : Grain, IRunWriterGrain
{
    private const int MostTellings = 50;
    private static readonly TimeSpan TellingPause = TimeSpan.FromMilliseconds(200);

    /// <summary>As long as the job's servers wait for a job grain that does not answer: while they are there, the job may go on.</summary>
    private static readonly TimeSpan SilencePatience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LeavingPatience = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _leaving = new();
    private Task? _writing;

    public async Task OpenAsync(string jobId, JobSubmission submission, long step, long firstEvent, EarlierWriter earlier)
    {
        if (_writing is not null)
        {
            return;
        }

        DetachedRun run;
        try
        {
            // A file system may be slow; it must not hold up a turn.
            run = await Task.Run(() => DetachedRun.Open(jobId, submission, step, earlier));
        }
        catch (Exception e)
        {
            throw GrainFailure.From(e);
        }

        _writing = WriteAsync(jobId, run, firstEvent);
    }

    public async Task CloseAsync()
    {
        await LeaveAsync(CancellationToken.None);
        DeactivateOnIdle();
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => LeaveAsync(cancellationToken);

    private async Task LeaveAsync(CancellationToken cancellationToken)
    {
        await _leaving.CancelAsync();
        if (_writing is { } writing)
        {
            await writing.WaitAsync(LeavingPatience, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The run folder of job {Job} is written no longer")]
    private static partial void LogFailed(ILogger logger, Exception failure, string job);

    /// <summary>Ends by itself and without an exception: nobody waits for it.</summary>
    private async Task WriteAsync(string jobId, DetachedRun run, long firstEvent)
    {
        try
        {
            using (run)
            {
                run.Stream.Publish(await FollowAsync(jobId, run.Stream, run.FirstStep, firstEvent));
            }
        }
        catch (Exception) when (_leaving.IsCancellationRequested)
        {
            // What the disk has not taken is told again to the next writer.
            return;
        }
        catch (Exception e)
        {
            LogFailed(logger, e, jobId);
            await FailJobAsync(jobId, GrainFailure.ToFailure(e, "the run folder"));
        }

        DeactivateOnIdle();
    }

    /// <returns>How the run ended; also that nobody answers any more.</returns>
    private async Task<RunEvent> FollowAsync(string jobId, RunStream stream, long step, long firstEvent)
    {
        var follower = new RunFollower(GrainFactory.GetGrain<IJobGrain>(jobId), jobId, stream, step, TimeProvider.System, SilencePatience)
        {
            FirstEvent = firstEvent,
            Writer = this.GetPrimaryKeyString(),
        };
        try
        {
            return await follower.FollowAsync(_leaving.Token);
        }
        catch (Exception e) when (e is not OperationCanceledException && !FileFailure.Is(e))
        {
            ConvNetException known = GrainFailure.From(e);
            return new RunEvent.Failed(known.ExitCode, known.Message);
        }
    }

    /// <summary>A job whose run nobody can read ends: its generation may change while it is told.</summary>
    private async Task FailJobAsync(string jobId, JobFailure failure)
    {
        for (int telling = 0; telling < MostTellings; telling++)
        {
            try
            {
                JobStatus status = await GrainFactory.GetGrain<IJobGrain>(jobId).StatusAsync(new StatusQuery());
                var header = new MessageHeader(jobId, status.Generation, status.Step);
                if (status.HasEnded
                    || (await GrainFactory.GetGrain<IJobControlGrain>(jobId).FailedAsync(header, "run writer", failure)).IsAcknowledged)
                {
                    return;
                }
            }
            catch (ConvNetException)
            {
                // The cluster does not know the job any more: nothing is left to be ended.
                return;
            }
            catch (Exception e) when (GrainFailure.IsLostContact(e))
            {
                // The next telling may arrive.
            }

            await Task.Delay(TellingPause);
        }
    }
}
