using ConvNet.Client.Views;
using Xunit;

namespace ConvNet.Client.Tests.Views;

public sealed class TextTableTests
{
    [Theory]
    [InlineData(26, "  name       step   images", "  node-1/0     12     1200", "")]
    [InlineData(25, "  name      step  images", "  node-1/0    12    1200", "")]
    [InlineData(23, "  name      step", "  node-1/0    12", "images")]
    [InlineData(9, "  name", "  node…/0", "step images")]
    [InlineData(3, "  …", "  …", "step images")]
    public void Gaps_and_columns_and_names_give_way_in_this_order(int width, string heading, string row, string leftOut)
    {
        var table = new TextTable(Plain(), new Column("name", 0, IsNumber: false), new Column("step", 1), new Column("images", 2));
        table.Add(width == 9 ? "node-1000/0" : "node-1/0", "12", "1200");
        table.Add("b", "3", "");

        IReadOnlyList<string> lines = table.Lines(width);

        Assert.Equal([heading, row], [lines[0], lines[2]]);
        Assert.All(lines, line => Assert.InRange(line.Length, 1, width));
        Assert.Equal(leftOut, string.Join(' ', table.LeftOut(width)));
    }

    [Fact]
    public void Wide_characters_count_twice_and_hidden_ones_are_shown()
    {
        var table = new TextTable(Plain(), new Column("name", 0, IsNumber: false), new Column("step", 1));
        table.Add("甲虫", "1");
        table.Add("a\e", "2");

        Assert.Equal(["  name      step", "────────────────", "  甲虫         1", "  a\\u{1b}      2"], table.Lines(40));
    }

    private static Terminal Plain() => new(TextWriter.Null, TextWriter.Null, IsInteractive: false, UsesColor: false);
}
