using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>What max and average pooling share.</summary>
internal static class Pooling
{
    public static (Window Rows, Window Columns) Fit(string layer, Shape input, Size size, Size? stride, Size padding, Rounding rounding)
    {
        if (padding.H > size.H / 2 || padding.W > size.W / 2)
        {
            throw ConvNetException.BadInput(
                $"{layer}: padding {padding} is more than half of size {size}, so a window could see nothing but padding; " +
                $"use at most {new Size(size.H / 2, size.W / 2)}.");
        }

        return Window.Fit(layer, input, size, stride ?? size, padding, 1, rounding);
    }

    public static Shape Output((Window Rows, Window Columns) windows, Shape input) =>
        new(input.C, windows.Rows.Output, windows.Columns.Output);
}
