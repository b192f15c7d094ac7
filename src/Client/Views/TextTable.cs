using Spectre.Console;

namespace ConvNet.Client.Views;

/// <summary>A table that fits the terminal: where it is too wide, the least important columns are left out and long names are cut.</summary>
internal sealed class TextTable(Terminal terminal, params Column[] columns)
{
    /// <summary>The heading and its rule, before the rows.</summary>
    public const int HeadRows = 2;

    private const int WideGap = 3, NarrowGap = 2;

    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add([.. cells.Select(terminal.Printable)]);

    /// <returns>Heading, rule and rows; no line is longer than <paramref name="width"/>.</returns>
    public IReadOnlyList<string> Lines(int width)
    {
        Glyphs glyphs = Glyphs.For(terminal);
        (int[] shown, int gap) = Fit(width);
        int[] widths = [.. shown.Select(WidthOf)];
        int excess = WidthOf(shown, gap) - width;
        if (excess > 0)
        {
            int widest = Array.IndexOf(widths, widths.Max());
            widths[widest] = Math.Max(1, widths[widest] - excess);
        }

        string Row(IEnumerable<string> cells) => ScreenText.Cut(
            "  " + string.Join(new string(' ', gap), cells.Select((cell, i) => Cell(cell, widths[i], columns[shown[i]], glyphs))).TrimEnd(), width, glyphs);
        return
        [
            Row(shown.Select(column => columns[column].Heading)),
            new string(glyphs.Rule, Math.Min(width, WidthOf(shown, gap))),
            .. _rows.Select(row => Row(shown.Select(column => row[column]))),
        ];
    }

    /// <summary>As wide as the terminal.</summary>
    public void Write()
    {
        foreach (string line in Lines(terminal.SizeNow.LineColumns))
        {
            terminal.Out.WriteLine(line);
        }
    }

    /// <summary>The headings of the columns for which <paramref name="width"/> has no room.</summary>
    public IReadOnlyList<string> LeftOut(int width)
    {
        (int[] shown, _) = Fit(width);
        return [.. columns.Where((_, column) => !shown.Contains(column)).Select(column => column.Heading)];
    }

    private (int[] Shown, int Gap) Fit(int width)
    {
        int[] shown = [.. Enumerable.Range(0, columns.Length)];
        if (WidthOf(shown, WideGap) <= width)
        {
            return (shown, WideGap);
        }

        while (WidthOf(shown, NarrowGap) > width && shown.Max(column => columns[column].Rank) is var highest && highest > 0)
        {
            shown = [.. shown.Where(column => columns[column].Rank < highest)];
        }

        return (shown, NarrowGap);
    }

    private static string Cell(string text, int width, Column column, Glyphs glyphs) =>
        ScreenText.Pad(ScreenText.Cut(text, width, glyphs), width, column.IsNumber);

    private int WidthOf(int column) =>
        Math.Max(columns[column].Heading.GetCellWidth(), _rows.Select(row => row[column].GetCellWidth()).DefaultIfEmpty(0).Max());

    private int WidthOf(int[] shown, int gap) => 2 + shown.Sum(WidthOf) + gap * (shown.Length - 1);
}
