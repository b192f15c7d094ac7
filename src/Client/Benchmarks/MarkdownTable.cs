namespace ConvNet.Client.Benchmarks;

/// <summary>
/// A table that reads well as text and can be pasted into a document. Lines are never cut to the terminal's width: a figure that is
/// missing says less than one that wraps.
/// </summary>
/// <param name="leftAligned">Columns of text, before those of numbers.</param>
internal sealed class MarkdownTable(int leftAligned, params string[] headings)
{
    private readonly List<string[]> _rows = [headings];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Write(TextWriter output)
    {
        int[] widths = [.. headings.Select((_, column) => _rows.Max(row => row[column].Length))];
        WriteRow(output, headings, widths);
        output.WriteLine($"|{string.Concat(widths.Select((width, column) => Rule(width, column)))}");
        foreach (string[] row in _rows.Skip(1))
        {
            WriteRow(output, row, widths);
        }

        output.WriteLine();
    }

    private string Rule(int width, int column) => $"{new string('-', width + 1)}{(column < leftAligned ? '-' : ':')}|";

    private void WriteRow(TextWriter output, string[] cells, int[] widths) =>
        output.WriteLine($"| {string.Join(" | ", cells.Select((cell, column) => Pad(cell, widths[column], column)))} |");

    private string Pad(string cell, int width, int column) => column < leftAligned ? cell.PadRight(width) : cell.PadLeft(width);
}
