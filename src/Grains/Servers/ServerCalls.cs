using ConvNet.Engine;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol;

namespace ConvNet.Grains.Servers;

/// <summary>How the servers of a job tell each other things: again until it is taken, and to the job grain if it never is.</summary>
internal static class ServerCalls
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    /// <param name="who">The sender, for the error.</param>
    public static async Task TellAsync(IGrainFactory grains, ServerAssignment assignment, string who, Func<Task<PushReply>> call)
    {
        long start = Environment.TickCount64;
        JobFailure? failure = null;
        while (failure is null)
        {
            try
            {
                PushReply reply = await call();
                if (reply.Verdict is Verdict.Rejected or Verdict.Conflict)
                {
                    failure = new JobFailure((int)ExitCode.TrainingFailed, $"{who}: {reply.Reason}");
                }
                else if (reply.Verdict != Verdict.Future)
                {
                    return;
                }
            }
            catch (Exception e) when (e is TimeoutException or OrleansMessageRejectionException)
            {
                double seconds = (Environment.TickCount64 - start) / 1000.0;
                if (seconds > Deadline.TotalSeconds)
                {
                    failure = new JobFailure(
                        (int)ExitCode.Environment,
                        FormattableString.Invariant($"{who}: no answer from another server of the job for {seconds:F0} s: {e.Message}"));
                }
            }
            catch (Exception e) when (e is JobException or ConvNetException or SiloGoneException)
            {
                failure = JobException.From(e).ToFailure();
            }

            if (failure is null)
            {
                await Task.Delay(RetryDelay);
            }
        }

        await grains.GetGrain<IJobControlGrain>(assignment.JobId).FailedAsync(assignment.Generation, who, failure);
    }

    /// <summary>The same for calls without an answer.</summary>
    public static Task TellAsync(IGrainFactory grains, ServerAssignment assignment, string who, Func<Task> call) =>
        TellAsync(grains, assignment, who, async () =>
        {
            await call();
            return new PushReply(Verdict.Accepted, null);
        });
}
