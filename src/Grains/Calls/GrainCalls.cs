using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Placement;

namespace ConvNet.Grains.Calls;

/// <summary>The rules for calls between the parts of a job, whose outcome may be unknown.</summary>
internal static class GrainCalls
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Repeats a call until it has an outcome or the deadline is over. Every message is idempotent by its key, so that a repeat
    /// of one that did arrive is acknowledged and not applied twice. Repeats run where the first call did: in a grain, on its turns; a thread of its own
    /// leaves its calls to the pool.
    /// </summary>
    /// <remarks>
    /// Orleans takes what a call needs from a stock of the calling thread, and gives it to the stock of the thread on which the answer comes, one of the
    /// pool: calls of another thread would fill those, which have no bound, by some hundred bytes each.
    /// </remarks>
    /// <param name="what">For the error: what was waited for.</param>
    /// <param name="onRetry">Called before each repeat: buffers of the earlier attempt may still be in use.</param>
    /// <param name="cancellation">
    /// Ends the wait at once; the call may still arrive, and its buffers be in use. A caller that gives one is told so when the other side is
    /// replaced: it also waits for a silo that is gone, where others fail at once.
    /// </param>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public static async Task<T> CallAsync<T>(
        Func<Task<T>> call, Func<string> what, Action? onRetry = null, CancellationToken cancellation = default)
    {
        if (!Thread.CurrentThread.IsThreadPoolThread)
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }

        long start = Environment.TickCount64;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return await call().WaitAsync(cancellation);
            }
            catch (Exception e) when (GrainFailure.MayBeRepeated(e) || (e is SiloGoneException && cancellation.CanBeCanceled))
            {
                double seconds = (Environment.TickCount64 - start) / 1000.0;
                if (seconds > Deadline.TotalSeconds)
                {
                    throw new ConvNetException(
                        ExitCode.Environment,
                        FormattableString.Invariant($"{what()}: no answer for {seconds:F0} s ({e.Message.TrimEnd('.')}); ") +
                        "check that its silo is alive and reachable.",
                        e);
                }
            }

            onRetry?.Invoke();
            await Task.Delay(RetryDelay, cancellation);
        }
    }

    /// <summary>Sends a message until it is taken; a message that the rules refuse ends the job with the reason.</summary>
    /// <returns>How it was taken. Stale needs no action here: the next pull tells whether it was the step or the generation that is over.</returns>
    public static async Task<Answer> DeliverAsync(
        Func<Task<Answer>> send, Func<string> what, Action? onRetry = null, CancellationToken cancellation = default)
    {
        Answer answer = await CallAsync(
            async () =>
            {
                Answer answer = await send();
                return answer.Verdict == Verdict.Future ? throw new TimeoutException("it is of a step that has not begun there.") : answer;
            },
            what,
            onRetry,
            cancellation);
        return answer.IsRefused ? throw Refusal(answer, what()) : answer;
    }

    /// <summary>The same for what a part of a job tells another while nobody waits: if it is never taken, the job grain hears of it.</summary>
    /// <param name="who">The sender, for the error.</param>
    /// <returns>How it was taken, or null if it never was.</returns>
    public static async Task<Answer?> TellAsync(IGrainFactory grains, Assignment assignment, string who, Func<Task<Answer>> send)
    {
        try
        {
            return await DeliverAsync(send, () => who);
        }
        catch (Exception e)
        {
            // Nobody awaits this task, so whatever went wrong must reach the job here.
            await grains.GetGrain<IJobControlGrain>(assignment.JobId)
                .FailedAsync(assignment.HeaderOf(assignment.FirstStep), who, GrainFailure.ToFailure(e));
            return null;
        }
    }

    /// <summary>The error of a sender that is told that it has broken a rule.</summary>
    public static ConvNetException Refusal(Answer answer, string what)
    {
        string message = $"{what} was refused ({answer.Verdict}): {answer.Reason}";
        return answer.Verdict == Verdict.Conflict ? new ContradictionException(message) : new ConvNetException(ExitCode.TrainingFailed, message);
    }

    /// <summary>An answer that must be yes: what the sender has asked for cannot be left undone.</summary>
    public static Answer Demand(Answer answer) =>
        answer.IsRefused ? throw new ConvNetException(ExitCode.TrainingFailed, answer.Reason!) : answer;
}
