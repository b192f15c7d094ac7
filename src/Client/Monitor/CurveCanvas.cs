using System.Text;
using ConvNet.Client.Views;

namespace ConvNet.Client.Monitor;

/// <summary>Characters with a curve on them: braille with 2 x 4 dots each, or one dot each in ASCII.</summary>
internal sealed class CurveCanvas
{
    private const char AsciiDot = '*', EmptyBraille = '\u2800';

    /// <summary>The bit of each dot in a braille character, from its top left one.</summary>
    private static readonly int[,] _bits = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };

    private readonly int _columns, _rows, _dotsAcross, _dotsUp;
    private readonly Glyphs _glyphs;
    private readonly CurveScale _scale;
    private readonly int[,] _dots;
    private readonly bool[,] _marks;

    public CurveCanvas(int columns, int rows, Glyphs glyphs, CurveScale scale)
    {
        (_columns, _rows, _glyphs, _scale) = (columns, rows, glyphs, scale);
        (_dotsAcross, _dotsUp) = glyphs.HasBraille ? (2, 4) : (1, 1);
        _dots = new int[rows, columns];
        _marks = new bool[rows, columns];
    }

    /// <summary>Several points in one column of dots are drawn as their mean; dots that are not neighbours are joined.</summary>
    public void DrawLine(IReadOnlyList<CurvePoint> points)
    {
        (int X, int Y)? last = null;
        foreach (IGrouping<int, CurvePoint> column in points.GroupBy(point => Across(point.Step, _columns * _dotsAcross)).OrderBy(group => group.Key))
        {
            (int X, int Y) here = (column.Key, Down(column.Average(point => point.Value), _rows * _dotsUp));
            Join(last ?? here, here);
            last = here;
        }
    }

    /// <summary>Each point is a character of its own, above the line.</summary>
    public void DrawMarks(IReadOnlyList<CurvePoint> points)
    {
        foreach (CurvePoint point in points)
        {
            _marks[Down(point.Value, _rows), Across(point.Step, _columns)] = true;
        }
    }

    /// <summary>A row in pieces of points and of line.</summary>
    public IEnumerable<(string Text, bool IsMark)> Parts(int row)
    {
        var part = new StringBuilder();
        for (int column = 0; column < _columns; column++)
        {
            if (column > 0 && _marks[row, column] != _marks[row, column - 1])
            {
                yield return (part.ToString(), _marks[row, column - 1]);
                part.Clear();
            }

            part.Append(_marks[row, column] ? _glyphs.Mark : _dots[row, column] is not 0 and var dots ? CharacterOf(dots) : ' ');
        }

        yield return (part.ToString(), _marks[row, _columns - 1]);
    }

    private char CharacterOf(int dots) => _glyphs.HasBraille ? (char)(EmptyBraille + dots) : AsciiDot;

    private void Join((int X, int Y) from, (int X, int Y) to)
    {
        int length = Math.Max(1, Math.Max(to.X - from.X, Math.Abs(to.Y - from.Y)));
        for (int i = 0; i <= length; i++)
        {
            int x = from.X + (to.X - from.X) * i / length, y = from.Y + (to.Y - from.Y) * i / length;
            _dots[y / _dotsUp, x / _dotsAcross] |= _glyphs.HasBraille ? _bits[y % _dotsUp, x % _dotsAcross] : 1;
        }
    }

    private int Across(double step, int places) => (int)Math.Clamp(Math.Round(_scale.Across(step) * (places - 1)), 0, places - 1);

    private int Down(double value, int places) => (int)Math.Clamp(Math.Round((1 - _scale.Up(value)) * (places - 1)), 0, places - 1);
}
