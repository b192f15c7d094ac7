using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Convolution;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

/// <summary>One <see cref="IndirectPhase"/> of the engine: output pixels that use the same taps, as a grid and a table of taps on a device.</summary>
internal sealed class DirectPhase : IDisposable
{
    private readonly DeviceBuffer<int> _taps;
    private readonly int[] _table;
    private readonly GatherGrid _grid;

    private DirectPhase(KernelDevice device, IndirectPhase phase, GatherGrid grid)
    {
        _taps = new DeviceBuffer<int>(device, "taps");
        _table = [.. phase.Taps.SelectMany(tap => new[] { tap.Y, tap.X, tap.Weight })];
        _grid = grid with { TapCount = phase.Taps.Length };
    }

    /// <summary>For each tap its shift in rows and in columns, and its place in a filter.</summary>
    public ArrayView<int> Taps
    {
        get
        {
            if (_taps.Capacity == 0)
            {
                _taps.Reserve(_table.Length).Upload(_table);
            }

            return _taps.View;
        }
    }

    /// <summary>y from x.</summary>
    public static DirectPhase Forward(KernelDevice device, ConvolutionGeometry g) => new(
        device,
        IndirectPhase.Forward(g)[0],
        Between(g.Input, g.Output) with
        {
            Height = g.Output.H,
            Width = g.Output.W,
            BaseY = -g.Padding.H,
            BaseX = -g.Padding.W,
            StepY = g.Stride.H,
            StepX = g.Stride.W,
            PixelStepY = 1,
            PixelStepX = 1,
        });

    /// <summary>dx from dy, one for each row and column modulo the stride, in the order of the engine's.</summary>
    public static DirectPhase[] BackwardData(KernelDevice device, ConvolutionGeometry g)
    {
        int columns = Math.Min(g.Stride.W, g.Input.W);
        return [.. IndirectPhase.BackwardData(g).Select((phase, i) => new DirectPhase(
            device,
            phase,
            Between(g.Output, g.Input) with
            {
                Height = (g.Input.H - i / columns + g.Stride.H - 1) / g.Stride.H,
                Width = (g.Input.W - i % columns + g.Stride.W - 1) / g.Stride.W,
                StepY = 1, StepX = 1,
                OriginY = i / columns, OriginX = i % columns, PixelStepY = g.Stride.H, PixelStepX = g.Stride.W,
            }))];
    }

    /// <summary>The pixels of this phase, for so many samples; its channels are to be filled in.</summary>
    public GatherGrid Grid(int samples) => _grid with { Samples = samples };

    public void Dispose() => _taps.Dispose();

    private static GatherGrid Between(Shape source, Shape destination) => new()
    {
        SourceHeight = source.H,
        SourceWidth = source.W,
        SourceStride = source.Blocks * source.Area * 8,
        DestinationArea = destination.Area,
        DestinationWidth = destination.W,
        DestinationStride = destination.Blocks * destination.Area * 8,
    };
}
