using ConvNet.Engine.Geometry;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.LocallyConnected;

/// <summary>Plain loops with double accumulators.</summary>
internal sealed unsafe class ReferenceLocallyConnected(ConvolutionGeometry geometry) : LocallyConnectedKernel
{
    private readonly PerThread<double[]> _planes = new(() => new double[Math.Max(geometry.Input.Area, geometry.Output.Area)]);
    private readonly PerThread<GradientTree> _trees = new(() => new GradientTree());
    private float[] _weights = [];
    private float[] _bias = [];

    public override void Load(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        Array.Resize(ref _weights, weights.Length);
        Array.Resize(ref _bias, geometry.Output.Count);
        weights.CopyTo(_weights);
        bias.CopyTo(_bias);
    }

    public override void Forward(Activation x, Activation y, int samples, ThreadTeam team)
    {
        int filters = geometry.Output.C;
        int area = geometry.Output.Area;
        _planes.Reserve(team.Size);
        team.Run(samples * filters, (item, thread) =>
        {
            int n = item / filters;
            int k = item % filters;
            Span<double> sum = _planes[thread].AsSpan(0, area);
            for (int i = 0; i < area; i++)
            {
                sum[i] = _bias[k * area + i];
            }

            for (int filterTap = 0; filterTap < geometry.FilterCount; filterTap++)
            {
                int weights = (k * geometry.FilterCount + filterTap) * area;
                foreach ((int output, int input) in Pairs(filterTap % geometry.Taps))
                {
                    sum[output] += (double)_weights[weights + output] * Plane(x, n, filterTap / geometry.Taps)[input * 8];
                }
            }

            Store(sum, Plane(y, n, k));
        });
    }

    public override void BackwardData(Activation dy, Activation dx, int samples, ThreadTeam team)
    {
        int channels = geometry.Input.C;
        int area = geometry.Output.Area;
        _planes.Reserve(team.Size);
        team.Run(samples * channels, (item, thread) =>
        {
            int n = item / channels;
            int c = item % channels;
            Span<double> sum = _planes[thread].AsSpan(0, geometry.Input.Area);
            sum.Clear();
            for (int i = 0; i < geometry.Output.C * geometry.Taps; i++)
            {
                int k = i / geometry.Taps;
                int tap = i % geometry.Taps;
                int weights = ((k * channels + c) * geometry.Taps + tap) * area;
                foreach ((int output, int input) in Pairs(tap))
                {
                    sum[input] += (double)_weights[weights + output] * Plane(dy, n, k)[output * 8];
                }
            }

            Store(sum, Plane(dx, n, c));
        });
    }

    /// <summary>One tile per (filter, channel, tap): the plane of its positions.</summary>
    public override void BackwardWeights(Activation x, Activation dy, ShardPlan plan, Func<int, float[]> roots, ThreadTeam team)
    {
        int area = geometry.Output.Area;
        _planes.Reserve(team.Size);
        SumTiles(geometry.WeightCount, plan, roots, team, (tile, shard, sum) =>
        {
            int k = tile / geometry.FilterCount;
            int c = tile % geometry.FilterCount / geometry.Taps;
            for (int n = shard.First; n < shard.End; n++)
            {
                foreach ((int output, int input) in Pairs(tile % geometry.Taps))
                {
                    sum[output] += (double)Plane(dy, n, k)[output * 8] * Plane(x, n, c)[input * 8];
                }
            }
        });
    }

    public override void BackwardBias(Activation dy, ShardPlan plan, Func<int, float[]> roots, ThreadTeam team) =>
        SumTiles(geometry.Output.C, plan, roots, team, (k, shard, sum) =>
        {
            for (int n = shard.First; n < shard.End; n++)
            {
                for (int i = 0; i < geometry.Output.Area; i++)
                {
                    sum[i] += Plane(dy, n, k)[i * 8];
                }
            }
        });

    private static float* Plane(Activation activation, int n, int channel) =>
        activation.Data + activation.Index(n, channel, 0, 0);

    private static void Store(ReadOnlySpan<double> sum, float* plane)
    {
        for (int i = 0; i < sum.Length; i++)
        {
            plane[i * 8] = (float)sum[i];
        }
    }

    private void SumTiles(int tiles, ShardPlan plan, Func<int, float[]> roots, ThreadTeam team, Action<int, LocalShard, double[]> addShard)
    {
        int area = geometry.Output.Area;
        _planes.Reserve(team.Size);
        _trees.Reserve(team.Size);
        team.Run(tiles, (tile, thread) =>
        {
            GradientTree tree = _trees[thread];
            tree.Begin(area);
            foreach (LocalShard shard in plan.Shards)
            {
                double[] sum = _planes[thread];
                Array.Clear(sum);
                addShard(tile, shard, sum);
                Span<float> leaf = tree.Leaf();
                for (int i = 0; i < area; i++)
                {
                    leaf[i] = (float)sum[i];
                }

                if (tree.Commit(shard, out ReadOnlySpan<float> root))
                {
                    root.CopyTo(roots(shard.Root).AsSpan(tile * area));
                }
            }
        });
    }

    /// <summary>Output and input pixel for every position at which the tap lies inside the input.</summary>
    private IEnumerable<(int Output, int Input)> Pairs(int tap)
    {
        Window rows = geometry.Rows;
        Window columns = geometry.Columns;
        int r = tap / geometry.Kernel.W;
        int s = tap % geometry.Kernel.W;
        for (int ho = rows.FirstOutput(r); ho < rows.EndOutput(r); ho++)
        {
            for (int wo = columns.FirstOutput(s); wo < columns.EndOutput(s); wo++)
            {
                yield return (ho * columns.Output + wo, rows.Position(ho, r) * columns.Input + columns.Position(wo, s));
            }
        }
    }
}
