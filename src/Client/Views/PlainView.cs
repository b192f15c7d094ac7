using System.Diagnostics;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Views;

/// <summary>Plain lines for pipes and log files: one for each epoch, and one every ten seconds in between.</summary>
internal sealed class PlainView(Terminal terminal) : RunSink
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private readonly Stopwatch _sinceLine = Stopwatch.StartNew();
    private long _lastStep = -1;
    private string? _lastWaiting;

    public override void Handle(RunEvent happened)
    {
        switch (happened)
        {
            case RunEvent.Started started:
                Write(started.Introduction);
                break;
            case RunEvent.Progress progress:
                Show(progress.Status);
                break;
            case RunEvent.EpochCompleted epoch:
                Write([Lines.EpochCompleted(epoch, terminal.SizeNow.LineColumns)]);
                break;
            case RunEvent.MembersChanged change:
                Write([Lines.MembersChanged(change)]);
                break;
            case RunEvent.Resumed resumed:
                Write([Lines.Resumed(resumed)]);
                break;
            case RunEvent.Warning warning:
                terminal.Warn(warning.Message);
                break;
            case RunEvent.Notice notice:
                terminal.Error.WriteLine(notice.Message);
                break;
            case RunEvent.Ended ended:
                foreach (string line in Lines.Ended(ended))
                {
                    terminal.Out.WriteLine(line);
                }

                break;
            case RunEvent.Failed failed:
                terminal.Error.WriteLine($"error: {failed.Error}");
                break;
        }
    }

    private void Show(JobStatus status)
    {
        if (Lines.Waiting(status) is { } waiting && waiting != _lastWaiting)
        {
            _lastWaiting = waiting;
            Write([waiting]);
        }

        if (_sinceLine.Elapsed >= Interval && status.State == JobState.Running && status.Step != _lastStep)
        {
            _lastStep = status.Step;
            Write([Lines.Progress(status, terminal.SizeNow.LineColumns)]);
        }
    }

    private void Write(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            terminal.Say(line);
        }

        terminal.Out.Flush();
        _sinceLine.Restart();
    }
}
