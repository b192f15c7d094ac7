using ConvNet.Engine.Geometry;

namespace ConvNet.Gpu.Kernels.LocallyConnected;

/// <summary>The geometry of a locally connected layer. Weights are (K, C, R, S, Ho, Wo), the bias (K, Ho, Wo).</summary>
internal readonly record struct LocalGrid(int Channels, int Filters, AxisGrid Rows, AxisGrid Columns)
{
    public LocalGrid(ConvolutionGeometry geometry)
        : this(geometry.Input.C, geometry.Output.C, new AxisGrid(geometry.Rows), new AxisGrid(geometry.Columns))
    {
    }

    public int InputArea => Rows.Input * Columns.Input;

    public int OutputArea => Rows.Output * Columns.Output;

    public int Taps => Rows.Kernel * Columns.Kernel;
}
