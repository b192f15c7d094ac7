using System.Diagnostics;
using ConvNet.Client.Cluster;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Runs;

/// <summary>Waits for a job to finish what it was told, and reports what it sees on the way. It never waits without a deadline.</summary>
/// <param name="seen">Called with every status.</param>
internal sealed class JobWatch(IJobGrain job, Action<JobStatus> seen)
{
    private static readonly TimeSpan ShortestPoll = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromMilliseconds(120);
    private static readonly TimeSpan TrainingDeadline = TimeSpan.FromSeconds(150);
    private static readonly TimeSpan OtherDeadline = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(60);

    /// <summary>Polls until the job is idle.</summary>
    /// <param name="step">The step at which it will be; polls come closer as it comes near.</param>
    /// <exception cref="ConvNetException">The job failed, or makes no progress.</exception>
    public async Task<JobStatus> UntilIdleAsync(long step)
    {
        var sinceProgress = Stopwatch.StartNew();
        (JobState, long, double) progress = default;
        while (true)
        {
            JobStatus status = await StatusAsync();
            seen(status);
            ThrowIfEnded(status);
            if (status.State == JobState.Idle)
            {
                return status;
            }

            (JobState, long, double) now = (status.State, status.Step, status.Workers.Sum(worker => worker.Samples + worker.ComputeSeconds));
            if (now != progress)
            {
                progress = now;
                sinceProgress.Restart();
            }
            else if (sinceProgress.Elapsed > (status.State == JobState.Running ? TrainingDeadline : OtherDeadline))
            {
                throw Stalled(status, sinceProgress.Elapsed);
            }

            await Task.Delay(PollDelay(status, step));
        }
    }

    /// <summary>A silo that dies takes a call with it: the next one may find the job on another silo, or find that it is lost.</summary>
    private async Task<JobStatus> StatusAsync()
    {
        var trying = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await job.StatusAsync();
            }
            catch (ConvNetException e) when (e.ExitCode == ExitCode.BadInput)
            {
                throw new ConvNetException(
                    ExitCode.Environment,
                    "the cluster no longer knows the job: the silo that held it has left; start it again.",
                    e);
            }
            catch (Exception e) when (LostSilo.IsBehind(e) && trying.Elapsed < CallDeadline)
            {
                await Task.Delay(LongestPoll);
            }
        }
    }

    /// <summary>Mean seconds of the last steps; 0 before there are any.</summary>
    public static double SecondsPerStep(JobStatus status) =>
        status.RecentSteps.TakeLast(50).Select(row => row.Seconds).DefaultIfEmpty(0).Average();

    private static TimeSpan PollDelay(JobStatus status, long step)
    {
        double left = status.State == JobState.Running ? (step - status.Step) * SecondsPerStep(status) / 2 : 0.02;
        return TimeSpan.FromSeconds(Math.Clamp(left, ShortestPoll.TotalSeconds, LongestPoll.TotalSeconds));
    }

    private static ConvNetException Stalled(JobStatus status, TimeSpan silent) => new(
        ExitCode.Environment,
        $"job {status.JobId} has made no progress for {silent.TotalSeconds:F0} s; it is {status.State} at step {status.Step} " +
        $"with {status.Workers.Length} workers ({string.Join(", ", status.Workers.Select(worker => $"{worker.Name} at step {worker.Step}"))}). " +
        "Look into the logs.");

    private static void ThrowIfEnded(JobStatus status)
    {
        if (status.Failure is { } failure)
        {
            throw new ConvNetException((ExitCode)failure.ExitCode, failure.Message);
        }

        if (status.State is JobState.Failed or JobState.Cancelled or JobState.Completed or JobState.Stopped)
        {
            throw new ConvNetException(
                status.State == JobState.Failed ? ExitCode.TrainingFailed : ExitCode.Cancelled,
                $"job {status.JobId} was ended by somebody else: it is {status.State} at step {status.Step}.");
        }
    }
}
