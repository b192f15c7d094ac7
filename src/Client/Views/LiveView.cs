using System.Diagnostics;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Views;

/// <summary>For a person at a terminal: what is finished scrolls, what goes on is redrawn at the bottom.</summary>
internal sealed class LiveView(Terminal terminal) : RunSink
{
    private static readonly TimeSpan RedrawInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Rows that are left to the lines above; a third of a small screen.</summary>
    private const int LinesAbove = 8;

    private readonly LiveRegion _region = new(terminal);
    private readonly Stopwatch _sinceRedraw = Stopwatch.StartNew();
    private JobStatus? _latest;
    private string? _lastWaiting;

    public override void Handle(RunEvent happened)
    {
        switch (happened)
        {
            case RunEvent.Started started:
                _region.Write(started.Introduction);
                break;
            case RunEvent.Progress progress:
                Show(progress.Status);
                break;
            case RunEvent.EpochCompleted epoch:
                _region.Write([Lines.EpochCompleted(epoch, terminal.SizeNow.LineColumns)]);
                break;
            case RunEvent.MembersChanged change:
                _region.Write([Lines.MembersChanged(change)]);
                break;
            case RunEvent.Resumed resumed:
                _region.Write([Lines.Resumed(resumed)]);
                break;
            case RunEvent.Warning warning:
                _region.Write([$"warning: {warning.Message}"]);
                break;
            case RunEvent.Notice notice:
                _region.Write([notice.Message]);
                break;
            case RunEvent.Ended ended:
                _region.End();
                foreach (string line in Lines.Ended(ended))
                {
                    terminal.Out.WriteLine(line);
                }

                break;
            case RunEvent.Failed failed:
                _region.End();
                terminal.Error.WriteLine($"error: {failed.Error}");
                break;
            case RunEvent.Abandoned:
                _region.End();
                break;
        }
    }

    protected override void Dispose(bool disposing) => _region.End();

    private void Show(JobStatus status)
    {
        if (Lines.Waiting(status) is { } waiting && waiting != _lastWaiting)
        {
            _lastWaiting = waiting;
            _region.Write([waiting]);
        }

        bool isFirst = _latest is null;
        _latest = status;
        if (isFirst || _sinceRedraw.Elapsed >= RedrawInterval)
        {
            _region.Show(Rows);
            _sinceRedraw.Restart();
        }
    }

    private IReadOnlyList<ScreenRow> Rows(ScreenSize size)
    {
        int rows = Math.Max(StatusPanel.FixedRows, size.Rows - Math.Min(LinesAbove, size.Rows / 3) - 1);
        return [ScreenRow.Empty, .. StatusPanel.Rows(terminal, _latest!, size.LineColumns, rows)];
    }
}
