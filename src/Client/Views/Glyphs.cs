namespace ConvNet.Client.Views;

/// <summary>What bars and rules are drawn with.</summary>
/// <param name="Rest">Of a bar; differs from <paramref name="Done"/> where no colour tells them apart.</param>
internal sealed record Glyphs(char Done, char Rest, char Rule, string Ellipsis)
{
    public static Glyphs For(Terminal terminal) => terminal switch
    {
        { IsUnicode: false } => new Glyphs('#', '-', '-', "..."),
        { UsesColor: false } => new Glyphs('━', '─', '─', "…"),
        _ => new Glyphs('━', '━', '─', "…"),
    };
}
