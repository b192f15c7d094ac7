using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ConvNet.Client.Views;

/// <summary>
/// All of a terminal's window, on the alternate screen: what was there before is there again afterwards. A frame is one write, and one that
/// changes nothing is none. Thread-safe, since a signal may end it.
/// </summary>
internal sealed class FullScreen : IDisposable
{
    private const string Enter = "\e[?1049h\e[?25l", EraseRest = "\e[K", EraseBelow = "\e[J", Home = "\e[H";

    /// <summary>The last two codes end the keypad's application mode, which .NET begins when it reads keys and never ends.</summary>
    private const string Leave = "\e[?25h\e[?1049l\e[?1l\e>";

    private readonly Terminal _terminal;
    private readonly IAnsiConsole _console;
    private readonly Lock _gate = new();
    private string _shown = "";
    private bool _isEntered;
    private bool _isOver;

    public FullScreen(Terminal terminal)
    {
        _terminal = terminal;
        _console = Consoles.Create(terminal);
    }

    /// <param name="rows">Those that the size has no room for are left out.</param>
    public void Show(IReadOnlyList<ScreenRow> rows, ScreenSize size)
    {
        List<Segment> frame = [Segment.Control(Home)];
        foreach ((int i, ScreenRow row) in rows.Take(size.Rows).Index())
        {
            frame.AddRange([.. i == 0 ? [] : (Segment[])[Segment.LineBreak], .. row.Parts(size.LineColumns).Select(Printable), Segment.Control(EraseRest)]);
        }

        frame.Add(Segment.Control(EraseBelow));
        string shown = frame.Aggregate(new StringBuilder($"{size}"), (text, part) => text.Append(part.Text).Append(part.Style.ToMarkup())).ToString();
        lock (_gate)
        {
            if (_isOver || (_isEntered && shown == _shown))
            {
                return;
            }

            if (!_isEntered)
            {
                _console.Write(new ControlCode(Enter));
                _isEntered = true;
            }

            _console.Write(new Frame(frame));
            _shown = shown;
        }
    }

    /// <summary>Gives the window back; nothing is shown from then on.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isEntered && !_isOver)
            {
                _console.Write(new ControlCode(Leave));
            }

            _isOver = true;
        }
    }

    private Segment Printable(Segment part) => new(_terminal.Printable(part.Text), part.Style);
}
