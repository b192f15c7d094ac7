using System.CommandLine;
using System.Text.Json.Nodes;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Commands;

/// <summary>job resume: lets a paused job go on, or one that has lost its client.</summary>
internal static class JobResumeCommand
{
    public static Command Create(Terminal terminal) => OneJobCommand.Create(
        "resume",
        """
        Puts a paused or orphaned job back into the queue, where it was submitted; it goes on from its checkpoint to the same bits. An orphaned
        one needs no client any more, and writes its run folder by itself. For a run that has ended see 'convnet resume'.

        Example: convnet job resume train-1a2b3c4d --cluster dev://127.0.0.1:11111
        """,
        async (job, id, json, cancellation) => Show(terminal, await ResumeAsync(job, id, cancellation), json));

    /// <exception cref="ConvNetException">The job is not known (exit code 3), or does not wait to be resumed (6).</exception>
    internal static async Task<JobStatus> ResumeAsync(IJobGrain job, string id, CancellationToken cancellation)
    {
        ClusterContact contact = JobCommand.ContactOf(id);
        var order = JobOrder.Of(JobOrderKind.Resume);
        await contact.AskAsync(() => job.OrderAsync(order), cancellation);
        return await contact.AskAsync(() => job.StatusAsync(new StatusQuery()), cancellation);
    }

    private static void Show(Terminal terminal, JobStatus job, bool json)
    {
        if (json)
        {
            terminal.Out.WriteLine(new JsonObject { ["event"] = "job.resumed", ["jobId"] = job.JobId, ["step"] = job.Step }.ToJsonString());
            return;
        }

        terminal.Say($"Job {job.JobId} goes on from step {job.Step} of {job.TotalSteps} as soon as it is its turn.");
    }
}
