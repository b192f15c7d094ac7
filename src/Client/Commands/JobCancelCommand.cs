using System.CommandLine;
using System.Text.Json.Nodes;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using ConvNet.Silo.Clustering;

namespace ConvNet.Client.Commands;

/// <summary>job cancel: ends a job early, with a checkpoint.</summary>
internal static class JobCancelCommand
{
    /// <summary>A step, an evaluation or a checkpoint that is under way is finished first.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    public static Command Create(Terminal terminal) => OneJobCommand.Create(
        "cancel",
        """
        Ends a job early: it saves a checkpoint, and frees its workers. 'convnet resume' can go on from there.

        Example: convnet job cancel train-1a2b3c4d --cluster dev://127.0.0.1:11111
        """,
        async (job, id, json, cancellation) => Show(terminal, await CancelAsync(job, id, cancellation), json));

    /// <returns>The status of the job that is cancelled.</returns>
    /// <exception cref="ConvNetException">The job is not known (exit code 3), or has ended otherwise (6); or it does not end (4).</exception>
    internal static async Task<JobStatus> CancelAsync(IJobGrain job, string id, CancellationToken cancellation)
    {
        JobStatus known = await JobCommand.AskAsync(job, id, cancellation);
        DemandOpen(known);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Deadline);
        using var unseen = new RunStream([]);
        var follower = new RunFollower(job, id, unseen, firstStep: null, TimeProvider.System);
        try
        {
            var order = JobOrder.Of(JobOrderKind.Cancel);
            await JobCommand.ContactOf(id).AskAsync(() => job.OrderAsync(order), deadline.Token);
            await follower.FollowAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ConvNetException(
                ExitCode.Environment,
                $"job '{id}' has been told to end, but is still {(follower.Latest?.State ?? known.State).InWords()} at step " +
                $"{follower.Latest?.Step ?? known.Step} after {Deadline.TotalMinutes:F0} minutes; look into the silos' logs.");
        }

        JobStatus ended = follower.Latest!;
        if (ended.State != JobState.Cancelled)
        {
            DemandOpen(ended);
        }

        return ended;
    }

    private static void DemandOpen(JobStatus job)
    {
        if (job.HasEnded)
        {
            throw new ConvNetException(
                ExitCode.Conflict,
                $"job '{job.JobId}' has ended already: it is {job.State.InWords()} at step {job.Step}" +
                $"{(job.Why?.TrimEnd('.') is { } why ? $" ({why})" : "")}. Nothing is left to be cancelled.");
        }
    }

    private static void Show(Terminal terminal, JobStatus job, bool json)
    {
        if (json)
        {
            var line = new JsonObject
            {
                ["event"] = "job.cancelled",
                ["jobId"] = job.JobId,
                ["step"] = job.Step,
                ["checkpoint"] = job.Checkpoint?.Path,
            };
            terminal.Out.WriteLine(line.ToJsonString());
            return;
        }

        terminal.Say(job.Checkpoint is { } checkpoint
            ? $"Job {job.JobId} is cancelled at step {job.Step}; step {checkpoint.Step} is saved in {checkpoint.Path}" +
              (job.Checkpoints is { IsCache: true } place
                ? $" on silo '{place.Silo}' for some time. Fetch it with 'convnet checkpoint get --job {job.JobId}'."
                : $". Go on with 'convnet resume {ShellWord.Quote(job.RunFolder)}'.")
            : $"Job {job.JobId} is cancelled at step {job.Step}; nothing was saved.");
    }
}
