using ConvNet.Engine.Geometry;

namespace ConvNet.Gpu.Kernels.LocallyConnected;

/// <summary>A window that slides along one axis, in numbers that a kernel takes.</summary>
internal readonly record struct AxisGrid(int Input, int Kernel, int Stride, int Padding, int Dilation, int Output)
{
    public AxisGrid(Window window)
        : this(window.Input, window.Kernel, window.Stride, window.Padding, window.Dilation, window.Output)
    {
    }

    /// <summary>The input position under a tap; may lie outside.</summary>
    public int Position(int output, int tap) => output * Stride - Padding + tap * Dilation;
}
