using System.Diagnostics;
using ConvNet.Engine;
using ConvNet.Grains.Contracts;

namespace ConvNet.Client.Runs;

/// <summary>Waits for a job to finish what it was told, and reports what it sees on the way. It never waits without a deadline.</summary>
/// <param name="seen">Called with every status.</param>
internal sealed class JobWatch(IJobGrain job, Action<JobStatus> seen)
{
    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LastPoll = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan TrainingDeadline = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan OtherDeadline = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Polls until the job is idle.
    /// </summary>
    /// <param name="stop">When cancelled, the job is told to end at the next step boundary.</param>
    /// <exception cref="ConvNetException">The job failed, or makes no progress.</exception>
    public async Task<JobStatus> UntilIdleAsync(CancellationToken stop = default)
    {
        var sinceProgress = Stopwatch.StartNew();
        (JobState, long, double) progress = default;
        TimeSpan poll = FirstPoll;
        bool stopping = false;
        while (true)
        {
            JobStatus status = await job.StatusAsync();
            seen(status);
            ThrowIfEnded(status);
            if (status.State == JobState.Idle)
            {
                return status;
            }

            if (stop.IsCancellationRequested && !stopping && status.State == JobState.Running)
            {
                stopping = true;
                await job.RunAsync(status.Step + 1);
            }

            (JobState, long, double) now = (status.State, status.Step, status.Workers.Sum(worker => worker.Samples + worker.ComputeSeconds));
            if (now != progress)
            {
                progress = now;
                sinceProgress.Restart();
            }
            else if (sinceProgress.Elapsed > (status.State == JobState.Running ? TrainingDeadline : OtherDeadline))
            {
                throw new ConvNetException(
                    ExitCode.Environment,
                    $"job {status.JobId} has made no progress for {sinceProgress.Elapsed.TotalSeconds:F0} s; it is {status.State} at step {status.Step} " +
                    $"with {status.Workers.Length} workers ({string.Join(", ", status.Workers.Select(worker => $"{worker.Name} at step {worker.Step}"))}).");
            }

            await Task.Delay(poll, CancellationToken.None);
            poll = poll * 1.5 < LastPoll ? poll * 1.5 : LastPoll;
        }
    }

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
