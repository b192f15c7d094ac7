using System.Diagnostics;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using Spectre.Console;

namespace ConvNet.Client.Views;

/// <summary>For a person at a terminal: what is finished scrolls, what goes on is redrawn at the bottom.</summary>
internal sealed class LiveView(Terminal terminal) : RunSink
{
    private static readonly TimeSpan RedrawInterval = TimeSpan.FromMilliseconds(100);

    private readonly IAnsiConsole _console = Consoles.Create(terminal);
    private readonly Stopwatch _sinceRedraw = Stopwatch.StartNew();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LiveDisplayContext? _live;
    private Task? _display;
    private JobStatus? _latest;

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
                Write([Lines.EpochCompleted(epoch)]);
                break;
            case RunEvent.Warning warning:
                Write([$"warning: {warning.Message}"]);
                break;
            case RunEvent.Notice notice:
                Write([notice.Message]);
                break;
            case RunEvent.Ended ended:
                EndDisplay();
                Write(Lines.Ended(ended));
                break;
            case RunEvent.Failed failed:
                EndDisplay();
                terminal.Error.WriteLine($"error: {failed.Error}");
                break;
        }
    }

    protected override void Dispose(bool disposing) => EndDisplay();

    private void Show(JobStatus status)
    {
        _latest = status;
        if (_display is null)
        {
            Begin(status);
        }
        else if (_sinceRedraw.Elapsed >= RedrawInterval && _live is not null)
        {
            _live.UpdateTarget(StatusPanel.Render(status));
            _sinceRedraw.Restart();
        }
    }

    private void Begin(JobStatus status) => _display = _console.Live(StatusPanel.Render(status)).AutoClear(false).StartAsync(async live =>
    {
        _live = live;
        live.Refresh();
        await _ended.Task;
    });

    private void Write(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            _console.WriteLine(line);
        }
    }

    /// <summary>Leaves the newest status on the screen and gives the cursor back.</summary>
    private void EndDisplay()
    {
        if (_latest is not null)
        {
            _live?.UpdateTarget(StatusPanel.Render(_latest));
        }

        _ended.TrySetResult();
        _display?.GetAwaiter().GetResult();
        _live = null;
    }
}
