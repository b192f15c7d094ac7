using System.Diagnostics;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ConvNet.Client.Views;

/// <summary>
/// The rows at the bottom of a terminal that are redrawn in place, below lines that scroll. A frame is one write: to the top of the
/// region, new lines, the region again, each row erased to its end, so that nothing of the last frame is left.
/// </summary>
internal sealed class LiveRegion(Terminal terminal)
{
    /// <summary>Lines that are written again when a change of the size has broken the screen.</summary>
    private const int KeptLines = 100;

    private const string HideCursor = "\e[?25l", ShowCursor = "\e[?25h", EraseRest = "\e[K", EraseBelow = "\e[J", Home = "\e[H";

    /// <summary>Somebody who pulls at a window's edge makes many sizes: the last one counts.</summary>
    private static readonly TimeSpan SettlingTime = TimeSpan.FromMilliseconds(250);

    private readonly IAnsiConsole _console = Consoles.Create(terminal);
    private readonly Queue<string> _written = [];
    private readonly List<string> _waiting = [];
    private readonly Stopwatch _sinceResize = new();
    private Func<ScreenSize, IReadOnlyList<ScreenRow>>? _draw;
    private ScreenSize _newest;
    private int _rows;
    private int _widestRow;

    /// <summary>Draws these rows from now on.</summary>
    /// <param name="draw">The rows for a size, at most as many as it has.</param>
    public void Show(Func<ScreenSize, IReadOnlyList<ScreenRow>> draw)
    {
        _draw = draw;
        Redraw(isLast: false);
    }

    /// <summary>Writes lines above the region, broken between words where they are too long.</summary>
    public void Write(IEnumerable<string> lines)
    {
        _waiting.AddRange(lines.SelectMany(line => line.Split('\n')).Select(terminal.Printable));
        if (_draw is not null)
        {
            Redraw(isLast: false);
        }
        else
        {
            Array.ForEach(Take(_waiting), terminal.Say);
        }
    }

    /// <summary>Leaves the newest rows on the screen and gives the cursor back.</summary>
    public void End()
    {
        if (_draw is null)
        {
            return;
        }

        Redraw(isLast: true);
        _console.Write(new ControlCode("\n" + ShowCursor));
        _draw = null;
        _rows = 0;
    }

    private void Redraw(bool isLast)
    {
        ScreenSize size = terminal.SizeNow;
        bool isBroken = _rows > 0 && (size.LineColumns < _widestRow || size.Rows < _rows);
        if (isBroken && !isLast && !HasSettled(size))
        {
            return;
        }

        _sinceResize.Reset();
        List<IReadOnlyList<Segment>> region = [.. _draw!(size).Take(size.Rows).Select(row => row.Parts(size.LineColumns))];
        string[] lines = [.. isBroken ? [.. _written.TakeLast(Math.Max(0, size.Rows - region.Count)), .. Take(_waiting)] : Take(_waiting)];
        List<Segment> frame = [Segment.Control(isBroken ? NewScreen(size) : ToTop() + (lines.Length > 0 ? EraseBelow : ""))];
        IEnumerable<string> above = lines.SelectMany(line => ScreenText.Wrap(line, size.LineColumns));
        frame.AddRange((isBroken ? above.TakeLast(Math.Max(0, size.Rows - region.Count)) : above)
            .SelectMany(row => (Segment[])[new Segment(row), Segment.LineBreak]));
        foreach ((int i, IReadOnlyList<Segment> row) in region.Index())
        {
            frame.AddRange([.. i == 0 ? [] : (Segment[])[Segment.LineBreak], .. row.Select(Printable), Segment.Control(EraseRest)]);
        }

        frame.Add(Segment.Control(EraseBelow));
        _console.Write(new Frame(frame));
        _rows = region.Count;
        _widestRow = region.Select(Segment.CellCount).DefaultIfEmpty(0).Max();
    }

    private bool HasSettled(ScreenSize size)
    {
        if (size != _newest || !_sinceResize.IsRunning)
        {
            _newest = size;
            _sinceResize.Restart();
        }

        return _sinceResize.Elapsed >= SettlingTime;
    }

    private string ToTop() => _rows == 0 ? HideCursor : _rows == 1 ? "\r" : $"\r\e[{_rows - 1}A";

    /// <summary>
    /// Some terminals break the rows of a window that has become narrower, others cut them, and none says where the cursor is now. So
    /// all rows go up into what has scrolled away, and an empty screen begins.
    /// </summary>
    private static string NewScreen(ScreenSize size) => $"\e[{size.Rows};1H{new string('\n', size.Rows)}{Home}";

    private Segment Printable(Segment part) => new(terminal.Printable(part.Text), part.Style);

    /// <summary>Takes the lines out of the list, and keeps them for another screen.</summary>
    private string[] Take(List<string> lines)
    {
        string[] taken = [.. lines];
        lines.Clear();
        foreach (string line in taken)
        {
            _written.Enqueue(line);
        }

        while (_written.Count > KeptLines)
        {
            _written.Dequeue();
        }

        return taken;
    }
}
