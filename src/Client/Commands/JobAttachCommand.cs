using System.CommandLine;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Commands;

/// <summary>job attach: shows a job from its beginning to its end, as the console that started it does.</summary>
internal static class JobAttachCommand
{
    public static Command Create(Terminal terminal) => OneJobCommand.Following(
        "attach",
        """
        Shows what a job has done so far, follows it to its end, and ends with its exit code. Any number of consoles may do so, each from the
        beginning. Ctrl-C leaves the job alone.

        Example: convnet job attach train-1a2b3c4d --cluster dev://127.0.0.1:11111
        """,
        (job, id, json, stop) => AttachAsync(terminal, job, id, json, stop));

    private static async Task<ExitCode> AttachAsync(Terminal terminal, IJobGrain job, string id, bool json, CancellationToken stop)
    {
        using var view = new RunStream(RunViews.For(terminal, id, json));
        JobStatus status = await JobCommand.AskAsync(job, id, stop);
        view.Publish(new RunEvent.Notice(
            $"Job {id}, {status.Model} on {status.Data}, is {status.State.InWords()} at step {status.Step} of {status.TotalSteps}. Ctrl-C leaves it alone."));
        return await JobWaitCommand.FollowAsync(job, id, view, view, stop);
    }
}
