namespace ConvNet.Client.Views;

/// <summary>What bars, rules and curves are drawn with.</summary>
/// <param name="Rest">Of a bar; differs from <paramref name="Done"/> where no colour tells them apart.</param>
/// <param name="Axis">Beside a curve, at a row without a number.</param>
/// <param name="Tick">Beside a curve, at a row with a number.</param>
/// <param name="Corner">Where the axes of a curve meet.</param>
/// <param name="Mark">A single point of a curve.</param>
/// <param name="HasBraille">A curve has 2 x 4 dots in a character; else each character is one dot.</param>
/// <param name="Arrows">The keys that move up and down.</param>
internal sealed record Glyphs(
    char Done, char Rest, char Rule, string Ellipsis, char Axis, char Tick, char Corner, char Mark, bool HasBraille, string Arrows)
{
    private static readonly Glyphs Ascii = new('#', '-', '-', "...", '|', '+', '+', 'o', false, "Up/Down");

    private static readonly Glyphs Colored = new('━', '━', '─', "…", '│', '┤', '└', '●', true, "↑↓");

    public static Glyphs For(Terminal terminal) => terminal switch
    {
        { IsUnicode: false } => Ascii,
        { UsesColor: false } => Colored with { Rest = '─' },
        _ => Colored,
    };
}
