using ConvNet.Engine.Geometry;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// dWeight and dBias of a depthwise convolution. A work item is a block of 8 channels; it goes through the shards in order and
/// combines their leaves while they are in cache. Pixels are summed in runs that start at the first pixel of each sample.
/// </summary>
internal sealed unsafe class DepthwiseGradientPass
{
    private readonly ConvolutionGeometry _geometry;
    private readonly PaddedPlanes _planes;
    private readonly int[] _pixelOffsets;
    private readonly int[] _taps;
    private readonly PerThread<GradientTree> _trees = new(() => new GradientTree());
    private readonly Action<int, int> _item;
    private Activation _x = null!;
    private Activation _dy = null!;
    private ShardPlan _plan = null!;
    private Func<int, float[]> _rootOfWeights = null!;
    private Func<int, float[]>? _rootOfBias;

    public DepthwiseGradientPass(ConvolutionGeometry geometry)
    {
        _geometry = geometry;
        IndirectPhase forward = IndirectPhase.Forward(geometry)[0];
        _planes = IndirectPhase.Frame([forward], geometry.Input);
        _pixelOffsets = [.. forward.Bases.Select(b => _planes.Offset(b.Y, b.X))];

        // Filled up to a whole group, whose last sums nobody reads.
        int groups = (forward.Taps.Length + DepthwiseKernel.GradientTaps - 1) / DepthwiseKernel.GradientTaps;
        _taps = new int[groups * DepthwiseKernel.GradientTaps];
        for (int i = 0; i < _taps.Length; i++)
        {
            (int y, int x, _) = forward.Taps[Math.Min(i, forward.Taps.Length - 1)];
            _taps[i] = (y * _planes.PaddedW + x) * 8;
        }

        _item = Item;
    }

    public void Run(
        Activation x, Activation dy, ShardPlan plan, Func<int, float[]> rootOfWeights, Func<int, float[]>? rootOfBias, ThreadTeam team)
    {
        (_x, _dy, _plan, _rootOfWeights, _rootOfBias) = (x, dy, plan, rootOfWeights, rootOfBias);
        _trees.Reserve(team.Size);
        team.Run(x.Shape.Blocks, _item);
    }

    private void Item(int block, int thread)
    {
        GradientTree tree = _trees[thread];
        tree.Begin((_taps.Length + 1) * 8);
        foreach (LocalShard shard in _plan.Shards)
        {
            fixed (float* leaf = tree.Leaf())
            {
                for (int n = shard.First; n < shard.End; n++)
                {
                    AddSample(n, block, leaf);
                }
            }

            if (tree.Commit(shard, out ReadOnlySpan<float> sum))
            {
                Unpack(sum, block, shard.Root);
            }
        }
    }

    private void AddSample(int n, int block, float* leaf)
    {
        float* x = _x.Sample(n) + (long)block * _geometry.Input.Area * 8;
        float* dy = _dy.Sample(n) + (long)block * _geometry.Output.Area * 8;
        if (!_planes.IsPlain)
        {
            float* padded = ThreadScratch.Floats(0, _planes.Stride);
            _planes.Copy(x, padded, 1);
            x = padded;
        }

        fixed (int* pixelOffsets = _pixelOffsets, taps = _taps)
        {
            int length = GradientRuns.Depthwise.Pixels;
            for (int p = 0; p < _pixelOffsets.Length; p += length)
            {
                int count = Math.Min(length, _pixelOffsets.Length - p);
                DepthwiseKernel.RunGradient(x, pixelOffsets + p, dy + 8L * p, count, taps, _taps.Length, leaf);
                if (_rootOfBias is not null)
                {
                    DepthwiseKernel.RunBias(dy + 8L * p, count, leaf + 8 * _taps.Length);
                }
            }
        }
    }

    /// <summary>[tap][8], then the bias, to (C, 1, R, S) and (C).</summary>
    private void Unpack(ReadOnlySpan<float> sum, int block, int root)
    {
        int taps = _geometry.Taps;
        int lanes = Math.Min(8, _geometry.Input.C - 8 * block);
        Span<float> weights = _rootOfWeights(root).AsSpan(8 * block * taps, lanes * taps);
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = sum[i % taps * 8 + i / taps];
        }

        if (_rootOfBias is not null)
        {
            sum.Slice(8 * _taps.Length, lanes).CopyTo(_rootOfBias(root).AsSpan(8 * block));
        }
    }
}
