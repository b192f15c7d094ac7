using System.Text;
using ConvNet.Client.Views;
using Spectre.Console;

namespace ConvNet.Client.Tests.Views;

/// <summary>A terminal that understands the few codes that views write; any other one is an error.</summary>
internal sealed class FakeScreen : TextWriter
{
    private readonly List<StringBuilder> _scrolledAway = [];
    private readonly List<StringBuilder> _rows = [];
    private readonly StringBuilder _code = new();
    private int _row, _column;

    public FakeScreen(int columns, int rows)
    {
        Size = new ScreenSize(columns, rows);
        Fit();
    }

    public ScreenSize Size { get; private set; }

    public override Encoding Encoding => Encoding.UTF8;

    public bool IsCursorHidden { get; private set; }

    /// <summary>The rows that were there before are hidden, and come back.</summary>
    public bool IsAlternate { get; private set; }

    /// <summary>How often something was written.</summary>
    public int Writes { get; private set; }

    /// <summary>How often a line went on in the next row because it was too long.</summary>
    public int BrokenLines { get; private set; }

    public string[] Rows => [.. _rows.Select(row => row.ToString().TrimEnd())];

    public IReadOnlyList<string> ScrolledAway => [.. _scrolledAway.Select(row => row.ToString())];

    /// <summary>All rows from the first that was ever written.</summary>
    public string Text => string.Join('\n', _scrolledAway.Select(row => row.ToString().TrimEnd()).Concat(Rows)).TrimEnd();

    public Terminal Terminal(TextWriter error, bool usesColor = true, bool isUnicode = true) =>
        new(this, error, IsInteractive: true, usesColor, isUnicode, () => Size);

    /// <summary>Breaks the rows that no longer fit, as most terminals do.</summary>
    public void Resize(int columns, int rows)
    {
        List<StringBuilder> old = [.. _rows.Take(_row + 1)];
        Size = new ScreenSize(columns, rows);
        _rows.Clear();
        foreach (string row in old.Select(row => row.ToString().TrimEnd()))
        {
            for (int at = 0; at == 0 || at < row.Length; at += columns)
            {
                _rows.Add(new StringBuilder(row[at..Math.Min(row.Length, at + columns)]));
            }
        }

        _row = _rows.Count - 1;
        _column = _rows[_row].Length;
        Fit();
    }

    public override void Write(char value)
    {
        Writes++;
        if (_code.Length > 0 || value == '\e')
        {
            _code.Append(value);
            if (value == '>' || (_code.Length > 2 && char.IsAsciiLetter(value)))
            {
                Execute(_code.ToString()[(value == '>' ? 1 : 2)..]);
                _code.Clear();
            }
        }
        else if (value is '\r' or '\n')
        {
            _column = 0;
            _row += value == '\n' ? 1 : 0;
            Fit();
        }
        else
        {
            Xunit.Assert.False(char.IsControl(value), $"control character {(int)value:x}");
            Put(value);
        }
    }

    private void Put(char value)
    {
        int width = value.ToString().GetCellWidth();
        if (_column + width > Size.Columns)
        {
            BrokenLines++;
            _column = 0;
            _row++;
            Fit();
        }

        StringBuilder row = _rows[_row];
        row.Append(' ', Math.Max(0, _column + width - row.Length));
        row[_column] = value;
        _column += width;
    }

    private void Execute(string code)
    {
        switch (code)
        {
            case "?25l" or "?25h":
                IsCursorHidden = code == "?25l";
                break;
            case "?1049h" or "?1049l":
                IsAlternate = code == "?1049h";
                break;
            case "?1l" or ">":
                break;
            case "K":
                _rows[_row].Length = Math.Min(_rows[_row].Length, _column);
                break;
            case "J":
                _rows[_row].Length = Math.Min(_rows[_row].Length, _column);
                _rows.RemoveRange(_row + 1, _rows.Count - _row - 1);
                Fit();
                break;
            case [.. var count, 'A']:
                _row = Math.Max(0, _row - int.Parse(count));
                break;
            case [.. var place, 'H']:
                _row = place.Length == 0 ? 0 : Math.Min(Size.Rows, int.Parse(place.Split(';')[0])) - 1;
                _column = 0;
                break;
            case [.., 'm']:
                break;
            default:
                throw new InvalidOperationException($"a terminal would do something unexpected: {code}.");
        }
    }

    private void Fit()
    {
        while (_rows.Count < Size.Rows)
        {
            _rows.Add(new StringBuilder());
        }

        while (_row >= Size.Rows || (_rows.Count > Size.Rows && _rows[^1].Length > 0))
        {
            _scrolledAway.Add(_rows[0]);
            _rows.RemoveAt(0);
            _rows.Add(new StringBuilder());
            _row--;
        }

        _rows.RemoveRange(Size.Rows, Math.Max(0, _rows.Count - Size.Rows));
    }
}
