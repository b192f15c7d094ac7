using ConvNet.Client.Commands;
using ConvNet.Client.Runs;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Views;

/// <summary>Shows a run to a person. This one shows next to nothing: with --json, standard output belongs to the events.</summary>
/// <param name="error">Standard error.</param>
public class RunView(TextWriter error) : IDisposable
{
    /// <summary>Lines for people, animated on a terminal, plain in a pipe; nothing with <paramref name="json"/>.</summary>
    public static RunView For(Terminal terminal, bool json) =>
        json ? new RunView(terminal.Error) : terminal.IsInteractive ? new LiveView(terminal) : new PlainView(terminal);

    /// <param name="sentences">What is trained, on what, where; one line each.</param>
    public virtual void Started(IEnumerable<string> sentences)
    {
    }

    /// <summary>Called for every status seen, many times a second.</summary>
    public virtual void Progress(JobStatus status)
    {
    }

    public virtual void EpochCompleted(long epoch, JobStatus status, EvaluationResult evaluation)
    {
    }

    public virtual void CheckpointSaved(CheckpointResult checkpoint)
    {
    }

    /// <summary>An answer to what the person at the keyboard just did.</summary>
    public virtual void Notice(string message) => error.WriteLine(message);

    public virtual void Warning(string message)
    {
    }

    public virtual void Ended(RunSummary summary, RunFolder folder)
    {
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}
