using ConvNet.Client.Views;
using Spectre.Console;

namespace ConvNet.Client.Monitor;

/// <summary>A curve as text: its name and newest values, the curve between two axes with numbers, and single points on top of it.</summary>
/// <param name="Train">Drawn as a line.</param>
/// <param name="Test">Drawn as single points.</param>
/// <param name="None">Said while there is no line.</param>
internal sealed record CurveChart(string Name, Curve Train, Curve Test, string None)
{
    private const int FewestColumns = 24, FewestRows = 4;

    private static readonly Style TrainStyle = Color.Green, TestStyle = Color.Yellow, AxisStyle = Color.Grey;

    /// <param name="columns">Room for each row.</param>
    /// <param name="rows">Room for all of them; with too little there is only the name with the newest values.</param>
    public IReadOnlyList<ScreenRow> Rows(Glyphs glyphs, int columns, int rows)
    {
        if (rows <= 0)
        {
            return [];
        }

        ScreenRow legend = Legend(glyphs);
        CurvePoint[] all = [.. Train.Points, .. Test.Points];
        if (columns < FewestColumns || rows < FewestRows || all.Length == 0)
        {
            return [legend];
        }

        CurveScale scale = CurveScale.Of(all);
        int plotRows = rows - 2;
        string[] labels = [.. Enumerable.Range(0, plotRows).Select(row => LabelOf(row, plotRows, scale))];
        int width = labels.Max(label => label.Length);
        var canvas = new CurveCanvas(columns - width - 1, plotRows, glyphs, scale);
        canvas.DrawLine(Train.Points);
        canvas.DrawMarks(Test.Points);
        var drawn = new List<ScreenRow> { legend };
        for (int row = 0; row < plotRows; row++)
        {
            ScreenRow shown = ScreenRow.Of(labels[row].PadLeft(width) + (labels[row].Length > 0 ? glyphs.Tick : glyphs.Axis), AxisStyle);
            foreach ((string text, bool isMark) in canvas.Parts(row))
            {
                shown.Add(text, isMark ? TestStyle : TrainStyle);
            }

            drawn.Add(shown);
        }

        drawn.Add(ScreenRow.Of(Steps(scale, width, columns, glyphs), AxisStyle));
        return drawn;
    }

    private ScreenRow Legend(Glyphs glyphs)
    {
        ScreenRow legend = ScreenRow.Of(Name, new Style(decoration: Decoration.Bold));
        legend.Add(Train.Last is { } train ? Lines.Invariant($"  {glyphs.Done} train {train:F4}") : $"  {None}", TrainStyle);
        return Test.Last is { } test ? legend.Add(Lines.Invariant($"  {glyphs.Mark} test {test:F4}"), TestStyle) : legend;
    }

    /// <summary>The highest and the lowest value, and that of the middle where there is room.</summary>
    private static string LabelOf(int row, int rows, CurveScale scale) =>
        row == 0 ? scale.Number(scale.High)
        : row == rows - 1 ? scale.Number(scale.Low)
        : rows >= 5 && rows % 2 == 1 && row == rows / 2 ? scale.Number((scale.High + scale.Low) / 2)
        : "";

    private static string Steps(CurveScale scale, int width, int columns, Glyphs glyphs)
    {
        string first = Lines.Invariant($"step {scale.First:F0}"), last = Lines.Invariant($"{scale.Last:F0}");
        int gap = columns - width - 1 - first.Length - last.Length;
        return new string(' ', width) + glyphs.Corner + (gap > 0 ? first + new string(' ', gap) + last : first);
    }
}
