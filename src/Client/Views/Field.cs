using Spectre.Console;

namespace ConvNet.Client.Views;

/// <summary>One fact of a line.</summary>
/// <param name="Text">Printable.</param>
/// <param name="Rank">Facts of higher ranks give way first where the line is too long.</param>
internal readonly record struct Field(string Text, int Rank)
{
    private const string Gap = "  ";

    /// <summary>As many of the fields as fit side by side, in their order; those of the lowest rank always.</summary>
    public static string Join(int columns, params IReadOnlyList<Field> fields)
    {
        Field[] kept = [.. fields.Where(field => field.Text.Length > 0)];
        int lowest = kept.Select(field => field.Rank).DefaultIfEmpty(0).Min();
        while (Line(kept).GetCellWidth() > columns && kept.Max(field => field.Rank) is var highest && highest > lowest)
        {
            kept = [.. kept.Where(field => field.Rank < highest)];
        }

        return Line(kept);
    }

    private static string Line(Field[] fields) => string.Join(Gap, fields.Select(field => field.Text));
}
