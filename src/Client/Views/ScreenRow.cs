using Spectre.Console;
using Spectre.Console.Rendering;

namespace ConvNet.Client.Views;

/// <summary>One row of a region that is redrawn: printable text in a few styles.</summary>
internal sealed class ScreenRow
{
    private readonly List<Segment> _parts = [];

    private ScreenRow()
    {
    }

    public static ScreenRow Empty => new();

    public static ScreenRow Of(string text, Style? style = null) => Empty.Add(text, style);

    /// <summary>Numbers stand out between their names.</summary>
    public static ScreenRow WithNumbers(string text)
    {
        var number = new Style(decoration: Decoration.Bold);
        ScreenRow row = Empty;
        foreach ((int i, string word) in text.Split(' ').Index())
        {
            row.Add(i == 0 ? "" : " ").Add(word, word.Length > 0 && char.IsAsciiDigit(word[0]) ? number : Style.Plain);
        }

        return row;
    }

    public ScreenRow Add(string text, Style? style = null)
    {
        _parts.Add(new Segment(text, style ?? Style.Plain));
        return this;
    }

    /// <summary>Two pictures side by side; the right one begins at a column.</summary>
    public static IEnumerable<ScreenRow> Beside(IReadOnlyList<ScreenRow> left, IReadOnlyList<ScreenRow> right, int column)
    {
        for (int i = 0; i < Math.Max(left.Count, right.Count); i++)
        {
            ScreenRow row = Empty;
            row._parts.AddRange(i < left.Count ? left[i]._parts : []);
            if (i < right.Count)
            {
                row.Add(new string(' ', Math.Max(0, column - Segment.CellCount(row._parts))));
                row._parts.AddRange(right[i]._parts);
            }

            yield return row;
        }
    }

    /// <summary>What <paramref name="columns"/> have room for.</summary>
    public IReadOnlyList<Segment> Parts(int columns) => Segment.CellCount(_parts) <= columns ? _parts : Segment.Truncate(_parts, columns);
}
