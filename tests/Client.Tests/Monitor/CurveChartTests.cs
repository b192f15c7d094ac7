using ConvNet.Client.Monitor;
using ConvNet.Client.Views;
using Xunit;

namespace ConvNet.Client.Tests.Monitor;

public sealed class CurveChartTests
{
    private static readonly Glyphs Ascii = Glyphs.For(new Terminal(TextWriter.Null, TextWriter.Null, true, false, IsUnicode: false));
    private static readonly Glyphs Braille = Glyphs.For(new Terminal(TextWriter.Null, TextWriter.Null, true, true));

    [Fact]
    public void A_curve_in_ASCII_has_axes_with_numbers_a_line_and_points()
    {
        Assert.Equal(
            """
            loss  # train 0.0000  o test 2.0000
            4.0000+***
                  |   ***
            2.0000+      ***              o
                  |         ***
            0.0000+            ************
                  +step 0                 4
            """,
            Text(Falling(), Ascii, 31, 7));
    }

    [Fact]
    public void A_curve_in_braille_has_eight_dots_in_a_character()
    {
        Assert.Equal(
            """
            loss  ━ train 0.0000  ● test 2.0000
            4.0000┤⠉⠢⣀
                  │   ⠑⢄⡀
            2.0000┤     ⠈⠢⣀               ●
                  │        ⠑⢄⡀
            0.0000┤          ⠈⠢⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀
                  └step 0                 4
            """,
            Text(Falling(), Braille, 31, 7));
    }

    [Theory]
    [InlineData(80, 9)]
    [InlineData(39, 12)]
    [InlineData(24, 4)]
    [InlineData(10, 2)]
    [InlineData(1, 1)]
    [InlineData(80, 0)]
    public void A_curve_fits_its_pane(int columns, int rows)
    {
        CurvePoint[] points = [.. Enumerable.Range(0, 1000).Select(step => new CurvePoint(step, Math.Sin(step / 30.0) * 1e300 * (step % 7 - 3)))];
        var curve = new Curve(points, points[^1].Value);
        IReadOnlyList<ScreenRow> drawn = new CurveChart("loss", curve, curve, "none").Rows(Braille, columns, rows);

        Assert.InRange(drawn.Count, 0, rows);
        if (rows >= 4)
        {
            Assert.Equal(rows, drawn.Count);
            Assert.All(drawn.Skip(1), row => Assert.InRange(row.Parts(1000).Sum(part => part.CellCount()), 0, columns));
        }
    }

    [Fact]
    public void A_level_line_runs_through_the_middle_and_a_single_step_is_a_dot()
    {
        var level = new Curve([new CurvePoint(0, 2), new CurvePoint(9, 2)], 2);
        var single = new Curve([new CurvePoint(5, 0)], 0);

        string[] rows = Text(new CurveChart("loss", level, Curve.Empty, "none"), Ascii, 30, 7).Split('\n');
        string[] dot = Text(new CurveChart("loss", single, Curve.Empty, "none"), Ascii, 30, 7).Split('\n');

        Assert.Equal("2.0000+***********************", rows[3]);
        Assert.Single(dot.SelectMany(row => row), '*');
        Assert.Equal("       +step 5               5", dot[6]);
    }

    [Fact]
    public void Without_points_the_name_says_why()
    {
        Assert.Equal("loss  no steps yet", Text(new CurveChart("loss", Curve.Empty, Curve.Empty, "no steps yet"), Ascii, 40, 9));
    }

    private static CurveChart Falling()
    {
        CurvePoint[] train = [new(0, 4), new(2, 0), new(4, 0)];
        return new CurveChart("loss", new Curve(train, 0), new Curve([new CurvePoint(4, 2)], 2), "none");
    }

    private static string Text(CurveChart chart, Glyphs glyphs, int columns, int rows) =>
        string.Join('\n', chart.Rows(glyphs, columns, rows).Select(row => string.Concat(row.Parts(1000).Select(part => part.Text)).TrimEnd()));
}
