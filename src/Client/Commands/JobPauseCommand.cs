using System.CommandLine;
using System.Text.Json.Nodes;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Commands;

/// <summary>job pause: frees the workers of a job for others, with a checkpoint.</summary>
internal static class JobPauseCommand
{
    /// <summary>A step, an evaluation or a checkpoint that is under way is finished first.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    public static Command Create(Terminal terminal) => OneJobCommand.Create(
        "pause",
        """
        Saves what is new in a job, and frees its workers and servers until 'job resume'. Who follows the job goes on doing so.

        Example: convnet job pause train-1a2b3c4d --cluster dev://127.0.0.1:11111
        """,
        async (job, id, json, cancellation) => Show(terminal, await PauseAsync(job, id, cancellation), json));

    /// <returns>The status of the job that is paused.</returns>
    /// <exception cref="ConvNetException">The job is not known (exit code 3), or has ended (6); or it does not pause (4).</exception>
    internal static async Task<JobStatus> PauseAsync(IJobGrain job, string id, CancellationToken cancellation)
    {
        ClusterContact contact = JobCommand.ContactOf(id);
        var order = JobOrder.Of(JobOrderKind.Pause);
        await contact.AskAsync(() => job.OrderAsync(order), cancellation);
        long end = Environment.TickCount64 + (long)Deadline.TotalMilliseconds;
        while (true)
        {
            JobStatus status = await contact.AskAsync(() => job.StatusAsync(new StatusQuery()), cancellation);
            if (status.State == JobState.Paused)
            {
                return status;
            }

            if (status.HasEnded)
            {
                throw new ConvNetException(
                    ExitCode.Conflict,
                    $"job '{id}' has ended before it could pause: it is {status.State.InWords()} at step {status.Step} of {status.TotalSteps}" +
                    $"{(status.Why?.TrimEnd('.') is { } why ? $" ({why})" : "")}.");
            }

            if (Environment.TickCount64 > end)
            {
                throw new ConvNetException(
                    ExitCode.Environment,
                    $"job '{id}' has been told to pause, but is still {status.State.InWords()} at step {status.Step} after " +
                    $"{Deadline.TotalMinutes:F0} minutes; look into the silos' logs.");
            }

            await Task.Delay(Poll, cancellation);
        }
    }

    private static void Show(Terminal terminal, JobStatus job, bool json)
    {
        if (json)
        {
            var line = new JsonObject
            {
                ["event"] = "job.paused",
                ["jobId"] = job.JobId,
                ["step"] = job.Step,
                ["checkpoint"] = job.Checkpoint?.Path,
            };
            terminal.Out.WriteLine(line.ToJsonString());
            return;
        }

        terminal.Say($"Job {job.JobId} is paused at step {job.Step} of {job.TotalSteps}: {job.Reason} Go on with 'convnet job resume {job.JobId}'.");
    }
}
