namespace ConvNet.Engine.Geometry;

/// <summary>
/// Everything that fixes the arithmetic of a convolution. Weights are (K, C/groups, R, S) in logical order;
/// y[n, k, ho, wo] = bias[k] + Σ over c, r, s of weight[k, c, r, s] · x[n, first channel of k's group + c, ho·stride − padding + r·dilation, …].
/// </summary>
/// <param name="Input">C, H, W.</param>
/// <param name="Output">K, Ho, Wo.</param>
/// <param name="Kernel">R, S.</param>
/// <param name="Groups">Divides C and K.</param>
public sealed record ConvolutionGeometry(
    Shape Input, Shape Output, Size Kernel, Size Stride, Size Padding, Size Dilation, int Groups)
{
    /// <summary>C of one filter.</summary>
    public int ChannelsPerGroup => Input.C / Groups;

    /// <summary>K of one group.</summary>
    public int FiltersPerGroup => Output.C / Groups;

    /// <summary>R·S.</summary>
    public int Taps => Kernel.H * Kernel.W;

    /// <summary>Weights of one filter.</summary>
    public int FilterCount => ChannelsPerGroup * Taps;

    /// <summary>All weights.</summary>
    public int WeightCount => Output.C * FilterCount;

    public Window Rows => new(Input.H, Kernel.H, Stride.H, Padding.H, Dilation.H, Output.H);

    public Window Columns => new(Input.W, Kernel.W, Stride.W, Padding.W, Dilation.W, Output.W);

    /// <summary>A fully connected layer as a 1x1 convolution over one pixel.</summary>
    public static ConvolutionGeometry FullyConnected(int inputs, int outputs) =>
        new(new Shape(inputs, 1, 1), new Shape(outputs, 1, 1), 1, 1, 0, 1, 1);
}
