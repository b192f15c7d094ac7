using ConvNet.Engine.Geometry;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.LocallyConnected;

/// <summary>
/// A vector of filters (backward data: of input channels) at a time. Each weight is used once per sample, so the samples run innermost and
/// the filters of one position stay in cache.
/// </summary>
internal sealed unsafe class FastLocallyConnected<T> : LocallyConnectedKernel
    where T : struct, IFloats<T>
{
    private readonly ConvolutionGeometry _geometry;
    private readonly PerThread<GradientTree> _trees = new(() => new GradientTree());

    /// <summary>(vector of filters, Ho·Wo, C·R·S, lane).</summary>
    private readonly float[] _byFilter;

    /// <summary>(vector of channels, Ho·Wo, K·R·S, lane).</summary>
    private readonly float[] _byChannel;

    /// <summary>(vector of filters, Ho·Wo, lane).</summary>
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
        _byFilter = new float[checked(Vectors(geometry.Output) * T.Count * area * geometry.FilterCount)];
        _byChannel = new float[checked(Vectors(geometry.Input) * T.Count * area * geometry.Output.C * geometry.Taps)];
        _bias = new float[Vectors(geometry.Output) * T.Count * area];
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
            _byFilter[((k / T.Count * area + pixel) * _geometry.FilterCount + c * taps + tap) * T.Count + k % T.Count] = weights[i];
            _byChannel[((c / T.Count * area + pixel) * _geometry.Output.C * taps + k * taps + tap) * T.Count + c % T.Count] = weights[i];
        }

        for (int i = 0; i < bias.Length; i++)
        {
            int k = i / area;
            _bias[(k / T.Count * area + i % area) * T.Count + k % T.Count] = bias[i];
        }
    }

    public override void Forward(Activation x, Activation y, int samples, ThreadTeam team)
    {
        (_x, _y, _samples) = (x, y, samples);
        team.Run(Vectors(_geometry.Output) * _geometry.Output.Area, _forward);
    }

    public override void BackwardData(Activation dy, Activation dx, int samples, ThreadTeam team)
    {
        (_dy, _dx) = (dy, dx);
        team.Run(samples * Vectors(_geometry.Input), _backwardData);
    }

    public override void BackwardWeights(Activation x, Activation dy, ShardPlan plan, Func<int, float[]> roots, ThreadTeam team)
    {
        (_x, _dy, _plan, _roots) = (x, dy, plan, roots);
        _trees.Reserve(team.Size);
        team.Run(Vectors(_geometry.Output) * _geometry.Output.Area, _backwardWeights);
    }

    public override void BackwardBias(Activation dy, ShardPlan plan, Func<int, float[]> roots, ThreadTeam team)
    {
        (_dy, _plan, _roots) = (dy, plan, roots);
        _trees.Reserve(team.Size);
        team.Run(_geometry.Output.Blocks, _backwardBias);
    }

    private static int Vectors(Shape shape) => (shape.C + T.Count - 1) / T.Count;

    /// <summary>Floats from a vector's first block to its second, or 0 if it has none.</summary>
    private static nint Plane(Shape shape, int vector) => (vector + 1) * (T.Count / 8) <= shape.Blocks ? 8 * shape.Area : 0;

    /// <summary>The filters of a vector at one output pixel, for all samples.</summary>
    private void ForwardItem(int item, int thread)
    {
        int area = _geometry.Output.Area;
        (int vector, int pixel) = Math.DivRem(item, area);
        nint plane = Plane(_geometry.Output, vector);
        fixed (float* weights = &_byFilter[item * _geometry.FilterCount * T.Count], bias = &_bias[item * T.Count])
        {
            for (int n = 0; n < _samples; n++)
            {
                T sum = T.Load(bias);
                foreach ((int tap, int input) in Taps(pixel))
                {
                    for (int c = 0; c < _geometry.Input.C; c++)
                    {
                        T value = T.Create(_x.Data[Place(_x, n, c, input)]);
                        sum.AddProduct(value, T.Load(weights + (c * _geometry.Taps + tap) * T.Count));
                    }
                }

                sum.StoreBlocks(_y.Data + Place(_y, n, vector * T.Count, pixel), plane);
            }
        }
    }

    /// <summary>The input channels of a vector, of one sample.</summary>
    private void BackwardDataItem(int item, int thread)
    {
        int area = _geometry.Output.Area;
        (int n, int vector) = Math.DivRem(item, Vectors(_geometry.Input));
        nint plane = Plane(_geometry.Input, vector);
        for (int block = vector * (T.Count / 8); block < Math.Min((vector + 1) * (T.Count / 8), _geometry.Input.Blocks); block++)
        {
            _dx.Block(n, block).Clear();
        }

        fixed (float* packed = _byChannel)
        {
            for (int pixel = 0; pixel < area; pixel++)
            {
                float* weights = packed + (long)(vector * area + pixel) * _geometry.Output.C * _geometry.Taps * T.Count;
                foreach ((int tap, int input) in Taps(pixel))
                {
                    float* target = _dx.Data + Place(_dx, n, vector * T.Count, input);
                    T sum = T.LoadBlocks(target, plane);
                    for (int k = 0; k < _geometry.Output.C; k++)
                    {
                        T gradient = T.Create(_dy.Data[Place(_dy, n, k, pixel)]);
                        sum.AddProduct(gradient, T.Load(weights + (k * _geometry.Taps + tap) * T.Count));
                    }

                    sum.StoreBlocks(target, plane);
                }
            }
        }
    }

    private void BackwardWeightsItem(int item, int thread)
    {
        int area = _geometry.Output.Area;
        int filter = _geometry.FilterCount;
        GradientTree tree = _trees[thread];
        tree.Begin(filter * T.Count);
        foreach (LocalShard shard in _plan.Shards)
        {
            AddPosition(_x, _dy, shard, item / area, item % area, tree.Leaf());
            if (tree.Commit(shard, out ReadOnlySpan<float> sum))
            {
                Scatter(sum, _roots(shard.Root), item / area * T.Count, T.Count, filter, area, item % area);
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
                Scatter(sum, _roots(shard.Root), 8 * block, 8, area, 1, 0);
            }
        }
    }

    private static long Place(Activation activation, int n, int c, int pixel) => activation.Index(n, c, 0, 0) + pixel * 8L;

    /// <summary>Adds the gradient of a vector's filters at one position over the samples of a shard, in their order; leaf is (C·R·S, lane).</summary>
    private void AddPosition(Activation x, Activation dy, in LocalShard shard, int vector, int pixel, Span<float> leaf)
    {
        nint plane = Plane(_geometry.Output, vector);
        fixed (float* target = leaf)
        {
            for (int n = shard.First; n < shard.End; n++)
            {
                T gradient = T.LoadBlocks(dy.Data + Place(dy, n, vector * T.Count, pixel), plane);
                foreach ((int tap, int input) in Taps(pixel))
                {
                    for (int c = 0; c < _geometry.Input.C; c++)
                    {
                        float* weight = target + (c * _geometry.Taps + tap) * T.Count;
                        T value = T.Create(x.Data[Place(x, n, c, input)]);
                        T.MultiplyAdd(value, gradient, T.Load(weight)).Store(weight);
                    }
                }
            }
        }
    }

    /// <summary>root[(k·items + i)·stride + offset] = sum[i, lane of k].</summary>
    private void Scatter(ReadOnlySpan<float> sum, float[] root, int firstFilter, int lanes, int items, int stride, int offset)
    {
        for (int lane = 0; lane < Math.Min(lanes, _geometry.Output.C - firstFilter); lane++)
        {
            for (int i = 0; i < items; i++)
            {
                root[((firstFilter + lane) * items + i) * stride + offset] = sum[i * lanes + lane];
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
