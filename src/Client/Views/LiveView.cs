using System.Diagnostics;
using ConvNet.Client.Commands;
using ConvNet.Client.Runs;
using ConvNet.Grains.Contracts.Jobs;
using Spectre.Console;

namespace ConvNet.Client.Views;

/// <summary>For a person at a terminal: what is finished scrolls, what goes on is redrawn at the bottom.</summary>
public sealed class LiveView : RunView
{
    private static readonly TimeSpan RedrawInterval = TimeSpan.FromMilliseconds(100);

    private readonly IAnsiConsole _console;
    private readonly Stopwatch _sinceRedraw = Stopwatch.StartNew();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private LiveDisplayContext? _live;
    private Task? _display;
    private JobStatus? _latest;

    public LiveView(Terminal terminal)
        : base(terminal.Error) => _console = Consoles.Create(terminal);

    public override void Started(IEnumerable<string> sentences)
    {
        foreach (string sentence in sentences)
        {
            _console.WriteLine(sentence);
        }
    }

    public override void Progress(JobStatus status)
    {
        lock (_gate)
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
    }

    public override void EpochCompleted(long epoch, JobStatus status, EvaluationResult evaluation) =>
        Say(Lines.EpochCompleted(epoch, status, evaluation));

    public override void Notice(string message) => Say(message);

    public override void Warning(string message) => Say($"warning: {message}");

    public override void Ended(RunSummary summary, RunFolder folder)
    {
        EndDisplay();
        foreach (string line in Lines.Ended(summary, folder.FullPath))
        {
            _console.WriteLine(line);
        }
    }

    protected override void Dispose(bool disposing) => EndDisplay();

    private void Begin(JobStatus status) => _display = _console.Live(StatusPanel.Render(status)).AutoClear(false).StartAsync(async live =>
    {
        _live = live;
        live.Refresh();
        await _ended.Task;
    });

    private void Say(string line)
    {
        lock (_gate)
        {
            _console.WriteLine(line);
        }
    }

    /// <summary>Leaves the newest status on the screen and gives the cursor back.</summary>
    private void EndDisplay()
    {
        lock (_gate)
        {
            if (_latest is not null)
            {
                _live?.UpdateTarget(StatusPanel.Render(_latest));
            }
        }

        _ended.TrySetResult();
        _display?.GetAwaiter().GetResult();
        _live = null;
    }
}
