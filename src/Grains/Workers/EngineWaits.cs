using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Workers;

/// <summary>
/// How the engine's thread waits for the servers of one assignment: until an answer is there, the assignment has ended, or the patience.
/// </summary>
/// <param name="worker">Who waits, for the error.</param>
/// <param name="patience">How long "not yet" is taken for an answer; null: 120 s.</param>
internal sealed class EngineWaits(string worker, TimeSpan? patience = null)
{
    private const int LongestPause = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly TimeSpan _patience = patience ?? Patience;
    private readonly CancellationTokenSource _end = new();

    /// <summary>Cancelled when the assignment has ended.</summary>
    public CancellationToken Token => _end.Token;

    public bool HaveEnded => _end.IsCancellationRequested;

    /// <summary>Ends every wait at once, and all that follow.</summary>
    public void End() => _end.Cancel();

    /// <exception cref="StepAbortedException">The assignment has ended.</exception>
    public void ThrowIfEnded()
    {
        if (HaveEnded)
        {
            throw Aborted();
        }
    }

    /// <summary>Blocks until the task is done.</summary>
    /// <exception cref="StepAbortedException">The assignment has ended.</exception>
    public void Wait(Task task)
    {
        ThrowIfEnded();
        try
        {
            if (!task.IsCompleted)
            {
                task.Wait(Token);
            }
        }
        catch (AggregateException)
        {
            // Thrown below as what it is.
        }
        catch (OperationCanceledException) when (HaveEnded)
        {
            throw Aborted();
        }

        try
        {
            task.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (HaveEnded)
        {
            throw Aborted();
        }
    }

    /// <inheritdoc cref="Wait(Task)"/>
    public T Wait<T>(Task<T> task)
    {
        Wait((Task)task);
        return task.Result;
    }

    /// <summary>Asks until the answer is another than "not yet".</summary>
    /// <param name="what">What is asked for, with the one that is asked.</param>
    /// <param name="needsValues">An acknowledgement without values is "not yet", too.</param>
    /// <exception cref="StepAbortedException">The generation has ended at the server.</exception>
    /// <exception cref="OperationCanceledException">The assignment has ended.</exception>
    public async Task<BlockAnswer> AskAsync(Func<Task<BlockAnswer>> ask, Func<string> what, bool needsValues = true)
    {
        long start = Environment.TickCount64;
        for (int attempt = 0; ; attempt++)
        {
            BlockAnswer answer = await GrainCalls.CallAsync(ask, what, cancellation: Token).ConfigureAwait(false);
            if (answer.Answer.IsRefused)
            {
                throw GrainCalls.Refusal(answer.Answer, what());
            }

            if (answer.Verdict == Verdict.Stale)
            {
                throw new StepAbortedException($"{what()} is no longer wanted: the answer was {answer.Verdict}.");
            }

            if (answer.Answer.IsAcknowledged && (answer.Values is not null || !needsValues))
            {
                return answer;
            }

            double seconds = (Environment.TickCount64 - start) / 1000.0;
            if (seconds >= _patience.TotalSeconds)
            {
                throw new ConvNetException(
                    ExitCode.Environment,
                    FormattableString.Invariant($"worker {worker} has waited {seconds:F0} s for {what()}, ") +
                    "and is told each time that it is not there yet; another worker or a server of the job is silent.");
            }

            // A server answers "not yet" after a wait of its own, or because something has changed: the first repeat is due at once.
            await Task.Delay(Math.Min(attempt, LongestPause), Token).ConfigureAwait(false);
        }
    }

    private StepAbortedException Aborted() => new($"the assignment of worker {worker} has ended.");
}
