using System.Runtime.Intrinsics;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.LocallyConnected;

/// <summary>
/// 8 filters (backward data: 8 input channels) at a time. Each weight is used once per sample, so the samples run innermost and
/// the filters of one position stay in cache.
/// </summary>
internal sealed unsafe class FastLocallyConnected : LocallyConnectedKernel
{
    private readonly ConvolutionGeometry _geometry;
    private readonly PerThread<GradientTree> _trees = new(() => new GradientTree());

    /// <summary>(K/8, Ho·Wo, C·R·S, 8).</summary>
    private readonly float[] _byFilter;

    /// <summary>(C/8, Ho·Wo, K·R·S, 8).</summary>
    private readonly float[] _byChannel;

    /// <summary>(K/8, Ho·Wo, 8).</summary>
    private readonly float[] _bias;

    private readonly Action<int, int> _forward;
    private readonly Action<int, int> _backwardData;
    private readonly Action<int, int> _backwardWeights;
    private readonly Action<int, int> _backwardBias;
    private Activation _x = null!;
    private Activation _y = null!;
    private Activation _dy = null!;
    private Activation _dx = null!;
    private ShardPlan _plan = null!;
    private Func<int, float[]> _roots = null!;
    private int _samples;

    public FastLocallyConnected(ConvolutionGeometry geometry)
    {
        _geometry = geometry;
        int area = geometry.Output.Area;
        _byFilter = new float[checked(geometry.Output.Blocks * 8 * area * geometry.FilterCount)];
        _byChannel = new float[checked(geometry.Input.Blocks * 8 * area * geometry.Output.C * geometry.Taps)];
        _bias = new float[geometry.Output.Blocks * 8 * area];
        (_forward, _backwardData) = (ForwardItem, BackwardDataItem);
        (_backwardWeights, _backwardBias) = (BackwardWeightsItem, BackwardBiasItem);
    }

    public override void Load(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        int area = _geometry.Output.Area;
        int taps = _geometry.Taps;
        for (int i = 0; i < weights.Length; i++)
        {
            int pixel = i % area;
            int tap = i / area % taps;
            int c = i / area / taps % _geometry.Input.C;
            int k = i / area / _geometry.FilterCount;
            _byFilter[(((k >> 3) * area + pixel) * _geometry.FilterCount + c * taps + tap) * 8 + (k & 7)] = weights[i];
            _byChannel[(((c >> 3) * area + pixel) * _geometry.Output.C * taps + k * taps + tap) * 8 + (c & 7)] = weights[i];
        }

        for (int i = 0; i < bias.Length; i++)
        {
            int k = i / area;
            _bias[((k >> 3) * area + i % area) * 8 + (k & 7)] = bias[i];
        }
    }

    public override void Forward(Activation x, Activation y, int samples, ThreadTeam team)
    {
        (_x, _y, _samples) = (x, y, samples);
        team.Run(_geometry.Output.Blocks * _geometry.Output.Area, _forward);
    }

    public override void BackwardData(Activation dy, Activation dx, int samples, ThreadTeam team)
    {
        (_dy, _dx) = (dy, dx);
        team.Run(samples * _geometry.Input.Blocks, _backwardData);
    }

    public override void BackwardWeights(Activation x, Activation dy, ShardPlan plan, Func<int, float[]> roots, ThreadTeam team)
    {
        (_x, _dy, _plan, _roots) = (x, dy, plan, roots);
        _trees.Reserve(team.Size);
        team.Run(_geometry.Output.Blocks * _geometry.Output.Area, _backwardWeights);
    }

    public override void BackwardBias(Activation dy, ShardPlan plan, Func<int, float[]> roots, ThreadTeam team)
    {
        (_dy, _plan, _roots) = (dy, plan, roots);
        _trees.Reserve(team.Size);
        team.Run(_geometry.Output.Blocks, _backwardBias);
    }

    /// <summary>8 filters at one output pixel, for all samples.</summary>
    private void ForwardItem(int item, int thread)
    {
        int area = _geometry.Output.Area;
        int pixel = item % area;
        fixed (float* weights = &_byFilter[item * _geometry.FilterCount * 8], bias = &_bias[item * 8])
        {
            for (int n = 0; n < _samples; n++)
            {
                Vector256<float> sum = Vector256.Load(bias);
                foreach ((int tap, int input) in Taps(pixel))
                {
                    for (int c = 0; c < _geometry.Input.C; c++)
                    {
                        Vector256<float> value = Vector256.Create(_x.Data[Place(_x, n, c, input)]);
                        sum = Vector256.FusedMultiplyAdd(value, Vector256.Load(weights + (c * _geometry.Taps + tap) * 8), sum);
                    }
                }

                sum.Store(_y.Data + Place(_y, n, item / area * 8, pixel));
            }
        }
    }

    /// <summary>8 input channels of one sample.</summary>
    private void BackwardDataItem(int item, int thread)
    {
        int area = _geometry.Output.Area;
        int n = item / _geometry.Input.Blocks;
        int block = item % _geometry.Input.Blocks;
        _dx.Block(n, block).Clear();
        fixed (float* packed = _byChannel)
        {
            for (int pixel = 0; pixel < area; pixel++)
            {
                float* weights = packed + (long)(block * area + pixel) * _geometry.Output.C * _geometry.Taps * 8;
                foreach ((int tap, int input) in Taps(pixel))
                {
                    float* target = _dx.Data + Place(_dx, n, block * 8, input);
                    Vector256<float> sum = Vector256.Load(target);
                    for (int k = 0; k < _geometry.Output.C; k++)
                    {
                        Vector256<float> gradient = Vector256.Create(_dy.Data[Place(_dy, n, k, pixel)]);
                        sum = Vector256.FusedMultiplyAdd(gradient, Vector256.Load(weights + (k * _geometry.Taps + tap) * 8), sum);
                    }

                    sum.Store(target);
                }
            }
        }
    }

    private void BackwardWeightsItem(int item, int thread)
    {
        int area = _geometry.Output.Area;
        int filter = _geometry.FilterCount;
        GradientTree tree = _trees[thread];
        tree.Begin(filter * 8);
        foreach (LocalShard shard in _plan.Shards)
        {
            AddPosition(_x, _dy, shard, item / area, item % area, tree.Leaf());
            if (tree.Commit(shard, out ReadOnlySpan<float> sum))
            {
                Scatter(sum, _roots(shard.Root), item / area, filter, area, item % area);
            }
        }
    }

    private void BackwardBiasItem(int block, int thread)
    {
        int area = _geometry.Output.Area;
        GradientTree tree = _trees[thread];
        tree.Begin(area * 8);
        foreach (LocalShard shard in _plan.Shards)
        {
            Span<float> leaf = tree.Leaf();
            for (int n = shard.First; n < shard.End; n++)
            {
                GradientTree.Add(leaf, _dy.Block(n, block));
            }

            if (tree.Commit(shard, out ReadOnlySpan<float> sum))
            {
                Scatter(sum, _roots(shard.Root), block, area, 1, 0);
            }
        }
    }

    private static long Place(Activation activation, int n, int c, int pixel) => activation.Index(n, c, 0, 0) + pixel * 8L;

    /// <summary>Adds the gradient of 8 filters at one position over the samples of a shard, in their order; leaf is (C·R·S, 8).</summary>
    private void AddPosition(Activation x, Activation dy, in LocalShard shard, int block, int pixel, Span<float> leaf)
    {
        fixed (float* target = leaf)
        {
            for (int n = shard.First; n < shard.End; n++)
            {
                Vector256<float> gradient = Vector256.Load(dy.Data + Place(dy, n, block * 8, pixel));
                foreach ((int tap, int input) in Taps(pixel))
                {
                    for (int c = 0; c < _geometry.Input.C; c++)
                    {
                        float* weight = target + (c * _geometry.Taps + tap) * 8;
                        Vector256<float> value = Vector256.Create(x.Data[Place(x, n, c, input)]);
                        Vector256.FusedMultiplyAdd(value, gradient, Vector256.Load(weight)).Store(weight);
                    }
                }
            }
        }
    }

    /// <summary>root[(k·items + i)·stride + offset] = sum[i, lane of k].</summary>
    private void Scatter(ReadOnlySpan<float> sum, float[] root, int block, int items, int stride, int offset)
    {
        int lanes = Math.Min(8, _geometry.Output.C - block * 8);
        for (int lane = 0; lane < lanes; lane++)
        {
            for (int i = 0; i < items; i++)
            {
                root[((block * 8 + lane) * items + i) * stride + offset] = sum[i * 8 + lane];
            }
        }
    }

    /// <summary>The taps that lie inside the input at an output pixel, and the input pixel under each.</summary>
    private TapList Taps(int pixel) => new(_geometry, pixel);

    /// <summary>Enumerates without allocation.</summary>
    private ref struct TapList(ConvolutionGeometry geometry, int pixel)
    {
        private readonly Window _rows = geometry.Rows;
        private readonly Window _columns = geometry.Columns;
        private int _tap = -1;

        public (int Tap, int Input) Current { get; private set; }

        public readonly TapList GetEnumerator() => this;

        public bool MoveNext()
        {
            while (++_tap < _rows.Kernel * _columns.Kernel)
            {
                int h = _rows.Position(pixel / _columns.Output, _tap / _columns.Kernel);
                int w = _columns.Position(pixel % _columns.Output, _tap % _columns.Kernel);
                if ((uint)h < (uint)_rows.Input && (uint)w < (uint)_columns.Input)
                {
                    Current = (_tap, h * _columns.Input + w);
                    return true;
                }
            }

            return false;
        }
    }
}
