using System.Runtime.CompilerServices;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// dWeight and dBias of one group. A work item is a panel of output channels × a few input blocks with all taps; it goes through the
/// shards in order and combines their leaves while they are in cache. Pixels are summed in runs of up to 128, counted from the
/// shard's first sample, and the runs one after the other: short sums keep the error small, and a run stays in the first-level cache.
/// </summary>
internal sealed unsafe class WeightGradientPass<T>
    where T : struct, IFloats<T>
{
    /// <summary>Enough (tap, channel) pairs that rounding up to groups of 6 wastes little.</summary>
    private const int MinPairs = 96;

    /// <summary>Fewer items than this would leave threads idle: panels are then of 16 channels.</summary>
    private const int MinItems = 4;

    private readonly ConvolutionGeometry _geometry;
    private readonly int _channels;
    private readonly int _filters;
    private readonly int _xStride;
    private readonly int _dyStride;
    private readonly int _panelChannels;
    private readonly int _blocksPerItem;
    private readonly int _samplesPerRun;
    private readonly PaddedPlanes _planes;
    private readonly int[] _pairOffsets;
    private readonly int[] _lastPairOffsets;
    private readonly int[] _offsets;
    private readonly int _runPixels;
    private readonly int _xStep;
    private readonly Action<int, int> _item;
    private readonly PerThread<GradientTree> _trees = new(() => new GradientTree());
    private float* _x;
    private float* _dy;
    private ShardPlan _plan = null!;
    private Func<int, float[]> _rootOfWeights = null!;
    private Func<int, float[]>? _rootOfBias;
    private int _firstFilter;

    /// <param name="geometry">Of the whole layer; this pass does one group of it.</param>
    /// <param name="xStride">Floats from one sample of x to the next.</param>
    /// <param name="dyStride">Floats from one sample of dy to the next.</param>
    public WeightGradientPass(ConvolutionGeometry geometry, int xStride, int dyStride)
    {
        _geometry = geometry;
        _channels = geometry.ChannelsPerGroup;
        _filters = geometry.FiltersPerGroup;
        _xStride = xStride;
        _dyStride = dyStride;
        Shape output = geometry.Output;
        int bottom = (output.H - 1) * geometry.Stride.H - geometry.Padding.H + (geometry.Kernel.H - 1) * geometry.Dilation.H;
        int right = (output.W - 1) * geometry.Stride.W - geometry.Padding.W + (geometry.Kernel.W - 1) * geometry.Dilation.W;
        _planes = PaddedPlanes.Covering(geometry.Input.H, geometry.Input.W, -geometry.Padding.H, -geometry.Padding.W, bottom, right);
        _blocksPerItem = Math.Min(Blocks, Math.Max(1, MinPairs / (8 * geometry.Taps)));
        _panelChannels = (_filters + 2 * T.Count - 1) / (2 * T.Count) * Items < MinItems ? 16 : 2 * T.Count;
        (_samplesPerRun, _runPixels) = GradientRuns.Of(output.Area);
        _xStep = _planes.IsPlain ? xStride : checked(_blocksPerItem * _planes.Stride);
        _offsets = Offsets();
        _pairOffsets = PairOffsets(Math.Min(_channels, 8 * _blocksPerItem));
        _lastPairOffsets = PairOffsets(_channels - (Items - 1) * 8 * _blocksPerItem);
        _item = Item;
    }

    private int Blocks => (_channels + 7) / 8;

    /// <summary>Items of one panel.</summary>
    private int Items => (Blocks + _blocksPerItem - 1) / _blocksPerItem;

    private int Panels => (_filters + _panelChannels - 1) / _panelChannels;

    /// <param name="x">First block of the group in sample 0.</param>
    /// <param name="dy">First block of the group in sample 0.</param>
    /// <param name="firstFilter">The group's first output channel in the roots.</param>
    public void Run(
        float* x, float* dy, ShardPlan plan, Func<int, float[]> rootOfWeights, Func<int, float[]>? rootOfBias, int firstFilter, ThreadTeam team)
    {
        _x = x;
        _dy = dy;
        (_plan, _rootOfWeights, _rootOfBias, _firstFilter) = (plan, rootOfWeights, rootOfBias, firstFilter);
        _trees.Reserve(team.Size);
        team.Run(Panels * Items, _item);
    }

    /// <summary>Of x and of dy, for every output pixel of the samples of a run.</summary>
    private int[] Offsets()
    {
        Shape output = _geometry.Output;
        int[] offsets = GC.AllocateArray<int>(2 * _samplesPerRun * output.Area, pinned: true);
        for (int i = 0; i < offsets.Length / 2; i++)
        {
            int sample = i / output.Area;
            int h = i % output.Area / output.W * _geometry.Stride.H;
            int w = i % output.W * _geometry.Stride.W;
            offsets[2 * i] = checked(sample * _xStep + (h * _planes.PaddedW + w) * 8);
            offsets[2 * i + 1] = checked(sample * _dyStride + i % output.Area * 8);
        }

        return offsets;
    }

    /// <summary>For each (block, tap, channel) of an item, then enough to fill the last group of 6, whose sums nobody reads.</summary>
    private int[] PairOffsets(int channels)
    {
        int corner = _planes.Offset(-_geometry.Padding.H, -_geometry.Padding.W);
        int[] offsets = GC.AllocateArray<int>(RoundUpToGroups(channels * _geometry.Taps), pinned: true);
        int i = 0;
        for (int first = 0; first < channels; first += 8)
        {
            for (int tap = 0; tap < _geometry.Taps; tap++)
            {
                int h = tap / _geometry.Kernel.W * _geometry.Dilation.H;
                int w = tap % _geometry.Kernel.W * _geometry.Dilation.W;
                for (int lane = 0; lane < Math.Min(8, channels - first); lane++)
                {
                    offsets[i++] = checked(first / 8 * _planes.Stride + corner + (h * _planes.PaddedW + w) * 8 + lane);
                }
            }
        }

        return offsets;
    }

    private static int RoundUpToGroups(int pairs) => (pairs + GradientKernel.Pairs - 1) / GradientKernel.Pairs * GradientKernel.Pairs;

    /// <summary>Output channels of a panel.</summary>
    private int PanelFilters(int panel) => Math.Min(_panelChannels, _filters - panel * _panelChannels);

    private void Item(int item, int thread)
    {
        int panel = item % Panels;
        int firstBlock = item / Panels * _blocksPerItem;
        int blocks = Math.Min(_blocksPerItem, Blocks - firstBlock);
        int channels = Math.Min(8 * blocks, _channels - 8 * firstBlock);
        int[] pairOffsets = firstBlock + blocks == Blocks ? _lastPairOffsets : _pairOffsets;
        int pairs = pairOffsets.Length;
        bool withBias = _rootOfBias != null && firstBlock == 0;
        GradientTree tree = _trees[thread];
        int width = TileKernel.Width<T>(PanelFilters(panel));
        tree.Begin((pairs + 1) * width);
        foreach (LocalShard shard in _plan.Shards)
        {
            fixed (float* leaf = tree.Leaf())
            {
                for (int n = shard.First; n < shard.End; n += _samplesPerRun)
                {
                    AddRun(n, Math.Min(_samplesPerRun, shard.End - n), panel, firstBlock, blocks, pairOffsets, leaf, withBias);
                }
            }

            if (tree.Commit(shard, out ReadOnlySpan<float> sum))
            {
                Unpack(sum, panel, firstBlock, channels, shard.Root);
                if (withBias)
                {
                    sum.Slice(width * pairs, PanelFilters(panel))
                        .CopyTo(_rootOfBias!(shard.Root).AsSpan(_firstFilter + panel * _panelChannels));
                }
            }
        }
    }

    private void AddRun(int first, int samples, int panel, int firstBlock, int blocks, int[] pairTable, float* leaf, bool withBias)
    {
        int area = _geometry.Output.Area;
        int filters = PanelFilters(panel);
        int pixels = samples * area;
        fixed (int* offsets = _offsets, pairOffsets = pairTable)
        {
            var job = new GradientKernel.Job
            {
                X = Source(first, samples, firstBlock, blocks),
                PairOffsets = pairOffsets,
                PairCount = pairTable.Length,
                Sums = leaf,
            };
            job.SetPanel<T>(_dy + (long)first * _dyStride + (long)panel * _panelChannels * area, (filters + 7) / 8, area * 8);
            for (int p = 0; p < pixels; p += _runPixels)
            {
                job.Offsets = offsets + 2 * p;
                job.PixelCount = Math.Min(_runPixels, pixels - p);
                GradientKernel.Run<T>(in job, filters);
                if (withBias)
                {
                    GradientKernel.RunBias<T>(in job, filters, leaf + TileKernel.Width<T>(filters) * pairTable.Length);
                }
            }
        }
    }

    /// <summary>The item's blocks of x: in place, or with a frame of zeros in the thread's cache.</summary>
    private float* Source(int first, int samples, int firstBlock, int blocks)
    {
        float* source = _x + (long)first * _xStride + (long)firstBlock * _geometry.Input.Area * 8;
        if (_planes.IsPlain)
        {
            return source;
        }

        float* padded = ThreadScratch.Floats(0, (long)samples * _xStep);
        for (int n = 0; n < samples; n++)
        {
            _planes.Copy(source + (long)n * _xStride, padded + (long)n * _xStep, blocks);
        }

        return padded;
    }

    /// <summary>[block][tap][channel][filter of the panel] to (K, C, R, S).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Unpack(ReadOnlySpan<float> sum, int panel, int firstBlock, int channels, int root)
    {
        int taps = _geometry.Taps;
        int filters = PanelFilters(panel);
        int width = TileKernel.Width<T>(filters);
        for (int k = 0; k < filters; k++)
        {
            int start = (_firstFilter + panel * _panelChannels + k) * _geometry.FilterCount + 8 * firstBlock * taps;
            Span<float> filter = _rootOfWeights(root).AsSpan(start, channels * taps);
            int i = 0;
            for (int c = 0; c < channels; c++)
            {
                int lanes = Math.Min(8, channels - (c & ~7));
                int source = ((c & ~7) * taps + (c & 7)) * width + k;
                for (int tap = 0; tap < taps; tap++)
                {
                    filter[i++] = sum[source];
                    source += lanes * width;
                }
            }
        }
    }
}
