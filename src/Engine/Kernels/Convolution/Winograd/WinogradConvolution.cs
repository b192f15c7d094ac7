using ConvNet.Engine.Geometry;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution.Winograd;

/// <summary>Where Winograd's algorithm is used, and with which tiles.</summary>
internal static class WinogradConvolution
{
    /// <summary>With fewer channels the transforms cost more than the products save.</summary>
    private const int MinChannels = 16;

    /// <summary>Bounds the memory of the filters' points: 36 floats each, for forward and once more for backward data, 151 MB either.</summary>
    private const long MaxFilters = 1 << 20;

    /// <summary>Null where the direct convolution is better.</summary>
    public static ConvolutionKernel? For<T>(ConvolutionGeometry geometry)
        where T : struct, IFloats<T> => TileFor(geometry) switch
        {
            WinogradTile.TwoOfFive => new WinogradConvolution<F4.Input, F25.Output, F25.Filter, F25.OutputGradient, F25.FilterGradient, T>(geometry),
            WinogradTile.Two => new WinogradConvolution<F2.Input, F2.Output, F2.Filter, F2.OutputGradient, F2.FilterGradient, T>(geometry),
            WinogradTile.Four => new WinogradConvolution<F4.Input, F4.Output, F4.Filter, F4.OutputGradient, F4.FilterGradient, T>(geometry),
            _ => null,
        };

    /// <summary>The choice follows from the geometry alone; null where the direct convolution is better.</summary>
    public static WinogradTile? TileFor(ConvolutionGeometry g)
    {
        int side = g.Kernel.H;
        bool fits = g.Kernel == new Size(side, side) && side is 3 or 5
            && g.Stride == new Size(1, 1) && g.Dilation == new Size(1, 1) && g.Groups == 1
            && Math.Max(g.Padding.H, g.Padding.W) < side && Math.Min(g.Output.H, g.Output.W) >= 2
            && Math.Min(g.Input.C, g.Output.C) >= MinChannels && (long)g.Input.C * g.Output.C <= MaxFilters;
        if (!fits)
        {
            return null;
        }

        bool two = g.Padding == new Size(1, 1) && g.Output.H == 2 && g.Output.W == 2;
        return side == 5 ? WinogradTile.TwoOfFive : two ? WinogradTile.Two : WinogradTile.Four;
    }
}

/// <summary>
/// Convolution with stride 1 by Winograd's algorithm in all three phases: 36 products for 16 outputs of a 3×3 filter or 4 of a 5×5 one,
/// and 9 for the 4 outputs of a 3×3 filter on an image of 2×2 pixels. The result differs from the direct sum by rounding only (about 1e-5 of
/// the largest value).
/// </summary>
internal sealed unsafe class WinogradConvolution<TInput, TOutput, TFilter, TOutputGradient, TFilterGradient, T> : ConvolutionKernel
    where TInput : struct, ILineTransform
    where TOutput : struct, ILineTransform
    where TFilter : struct, ILineTransform
    where TOutputGradient : struct, ILineTransform
    where TFilterGradient : struct, ILineTransform
    where T : struct, IFloats<T>
{
    private readonly ConvolutionGeometry _geometry;
    private AlignedBuffer _bias;
    private readonly FilterPoints<TFilter, T> _forwardFilters;
    private readonly FilterPoints<TFilter, T> _backwardFilters;
    private readonly WinogradPass<TInput, TOutput, TFilter, T> _forward;
    private readonly WinogradPass<TInput, TOutput, TFilter, T> _backward;
    private readonly WinogradGradientPass<TInput, TOutputGradient, TFilterGradient, T> _gradient;
    private AlignedBuffer? _filterPoints;
    private float[] _weights = [];
    private bool _hasBias;

    public WinogradConvolution(ConvolutionGeometry geometry)
    {
        _geometry = geometry;
        _bias = new AlignedBuffer(8 * geometry.Output.Blocks);
        Shape input = geometry.Input;
        Shape output = geometry.Output;

        // Tiles of two inputs lie between zeros that nobody reads.
        Size padding = TInput.Inputs == TOutput.Outputs ? 0 : geometry.Padding;
        Size backPadding = TInput.Inputs == TOutput.Outputs ? 0 : new Size(geometry.Kernel.H - 1 - padding.H, geometry.Kernel.W - 1 - padding.W);
        _forwardFilters = new FilterPoints<TFilter, T>(input.C, output.C, geometry.Taps, geometry.FilterCount, rotated: false);
        _backwardFilters = new FilterPoints<TFilter, T>(output.C, input.C, geometry.FilterCount, geometry.Taps, rotated: true);
        _forward = new WinogradPass<TInput, TOutput, TFilter, T>(input, output, padding, _forwardFilters);
        _backward = new WinogradPass<TInput, TOutput, TFilter, T>(output, input, backPadding, _backwardFilters);
        _gradient = new WinogradGradientPass<TInput, TOutputGradient, TFilterGradient, T>(input, output, padding);
    }

    public override void Load(float[] weights, float[]? bias, ThreadTeam team)
    {
        _weights = weights;
        _hasBias = bias is not null;
        bias?.AsSpan(0, _geometry.Output.C).CopyTo(new Span<float>(_bias.Data, _geometry.Output.C));
        _filterPoints ??= new AlignedBuffer(_forwardFilters.Length);
        _forwardFilters.Transform(weights, _filterPoints.Data, team);
    }

    public override void Share(ConvolutionKernel loaded, ThreadTeam team)
    {
        var other = (WinogradConvolution<TInput, TOutput, TFilter, TOutputGradient, TFilterGradient, T>)loaded;
        (_filterPoints, _bias, _hasBias) = (other._filterPoints, other._bias, other._hasBias);
    }

    public override void Forward(Activation x, Activation y, int samples, ThreadTeam team, Action<int>? finished = null) =>
        _forward.Run(x, y, samples, _filterPoints!.Data, _hasBias ? _bias.Data : null, team, finished);

    /// <summary>The filters' points are made anew for each pass, in memory that all layers share.</summary>
    public override void BackwardData(Activation dy, Activation dx, int samples, ThreadTeam team, Action<int>? finished = null)
    {
        float* filterPoints = ThreadScratch.Floats(3, _backwardFilters.Length);
        _backwardFilters.Transform(_weights, filterPoints, team);
        _backward.Run(dy, dx, samples, filterPoints, null, team, finished);
    }

    public override void BackwardWeights(
        Activation x, Activation dy, ShardPlan plan, Func<int, float[]> rootOfWeights, Func<int, float[]>? rootOfBias, ThreadTeam team) =>
        _gradient.Run(x, dy, plan, rootOfWeights, rootOfBias, team);
}
