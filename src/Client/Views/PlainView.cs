using System.Diagnostics;
using ConvNet.Client.Commands;
using ConvNet.Client.Runs;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Views;

/// <summary>Plain lines for pipes and log files: one for each epoch, and one every ten seconds in between.</summary>
public sealed class PlainView(Terminal terminal) : RunView(terminal.Error)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private readonly Stopwatch _sinceLine = Stopwatch.StartNew();
    private long _lastStep = -1;

    public override void Started(IEnumerable<string> sentences)
    {
        foreach (string sentence in sentences)
        {
            terminal.Out.WriteLine(sentence);
        }
    }

    public override void Progress(JobStatus status)
    {
        if (_sinceLine.Elapsed >= Interval && status.State == JobState.Running && status.Step != _lastStep)
        {
            _lastStep = status.Step;
            Line(Lines.Progress(status));
        }
    }

    public override void EpochCompleted(long epoch, JobStatus status, EvaluationResult evaluation) =>
        Line(Lines.EpochCompleted(epoch, status, evaluation));

    public override void Warning(string message) => terminal.Error.WriteLine($"warning: {message}");

    public override void Ended(RunSummary summary, RunFolder folder)
    {
        foreach (string line in Lines.Ended(summary, folder.FullPath))
        {
            Line(line);
        }
    }

    private void Line(string text)
    {
        terminal.Out.WriteLine(text);
        terminal.Out.Flush();
        _sinceLine.Restart();
    }
}
