using ConvNet.Engine.Geometry;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>Convolution as plain loops with double accumulators, for every geometry: the oracle of the fast kernels.</summary>
internal sealed unsafe class ReferenceConvolution : ConvolutionKernel
{
    private readonly ConvolutionGeometry _geometry;
    private float[] _weights;
    private float[] _bias;
    private readonly PerThread<double[]> _planes;
    private readonly PerThread<GradientTree> _trees = new(() => new GradientTree());

    public ReferenceConvolution(ConvolutionGeometry geometry)
    {
        _geometry = geometry;
        _weights = new float[geometry.WeightCount];
        _bias = new float[geometry.Output.C];
        int plane = Math.Max(geometry.Input.Area, geometry.Output.Area);
        _planes = new PerThread<double[]>(() => new double[plane]);
    }

    public override void Load(float[] weights, float[]? bias, ThreadTeam team)
    {
        weights.AsSpan(0, _weights.Length).CopyTo(_weights);
        Array.Clear(_bias);
        bias?.AsSpan(0, _bias.Length).CopyTo(_bias);
    }

    public override void Share(ConvolutionKernel loaded, ThreadTeam team) =>
        (_weights, _bias) = (((ReferenceConvolution)loaded)._weights, ((ReferenceConvolution)loaded)._bias);

    public override void Forward(Activation x, Activation y, int samples, ThreadTeam team, Action<int>? finished = null)
    {
        int filters = _geometry.Output.C;
        _planes.Reserve(team.Size);
        team.Run(samples * filters, (item, thread) => ForwardPlane(x, y, item / filters, item % filters, _planes[thread]));
        Report(finished, samples);
    }

    public override void BackwardData(Activation dy, Activation dx, int samples, ThreadTeam team, Action<int>? finished = null)
    {
        int channels = _geometry.Input.C;
        _planes.Reserve(team.Size);
        team.Run(samples * channels, (item, thread) => BackwardPlane(dy, dx, item / channels, item % channels, _planes[thread]));
        Report(finished, samples);
    }

    public override void BackwardWeights(
        Activation x, Activation dy, ShardPlan plan, Func<int, float[]> rootOfWeights, Func<int, float[]>? rootOfBias, ThreadTeam team)
    {
        _trees.Reserve(team.Size);
        team.Run(_geometry.Output.C, (k, thread) =>
        {
            int count = _geometry.FilterCount;
            GradientTree tree = _trees[thread];
            tree.Begin(count + 1);
            foreach (LocalShard shard in plan.Shards)
            {
                FilterGradient(x, dy, shard, k, tree.Leaf());
                if (tree.Commit(shard, out ReadOnlySpan<float> sum))
                {
                    sum[..count].CopyTo(rootOfWeights(shard.Root).AsSpan(k * count));
                    if (rootOfBias is not null)
                    {
                        rootOfBias(shard.Root)[k] = sum[count];
                    }
                }
            }
        });
    }

    private static void Report(Action<int>? finished, int samples)
    {
        for (int n = 0; finished is not null && n < samples; n++)
        {
            finished(n);
        }
    }

    private void ForwardPlane(Activation x, Activation y, int n, int k, double[] sum)
    {
        Window rows = _geometry.Rows;
        Window columns = _geometry.Columns;
        int width = _geometry.Output.W;
        Array.Fill(sum, _bias[k], 0, _geometry.Output.Area);
        int firstChannel = k / _geometry.FiltersPerGroup * _geometry.ChannelsPerGroup;
        int weight = k * _geometry.FilterCount;
        for (int c = 0; c < _geometry.ChannelsPerGroup; c++)
        {
            float* plane = x.Data + x.Index(n, firstChannel + c, 0, 0);
            for (int r = 0; r < _geometry.Kernel.H; r++)
            {
                (int firstRow, int endRow) = (rows.FirstOutput(r), rows.EndOutput(r));
                for (int s = 0; s < _geometry.Kernel.W; s++, weight++)
                {
                    double w = _weights[weight];
                    (int firstColumn, int endColumn) = (columns.FirstOutput(s), columns.EndOutput(s));
                    for (int ho = firstRow; ho < endRow; ho++)
                    {
                        float* row = plane + (long)rows.Position(ho, r) * _geometry.Input.W * 8;
                        for (int wo = firstColumn; wo < endColumn; wo++)
                        {
                            sum[ho * width + wo] += w * row[columns.Position(wo, s) * 8];
                        }
                    }
                }
            }
        }

        Store(sum, y.Data + y.Index(n, k, 0, 0), _geometry.Output.Area);
    }

    private void BackwardPlane(Activation dy, Activation dx, int n, int c, double[] sum)
    {
        Window rows = _geometry.Rows;
        Window columns = _geometry.Columns;
        int width = _geometry.Input.W;
        Array.Clear(sum, 0, _geometry.Input.Area);
        int group = c / _geometry.ChannelsPerGroup;
        int firstFilter = group * _geometry.FiltersPerGroup;
        for (int k = firstFilter; k < firstFilter + _geometry.FiltersPerGroup; k++)
        {
            float* plane = dy.Data + dy.Index(n, k, 0, 0);
            int weight = k * _geometry.FilterCount + c % _geometry.ChannelsPerGroup * _geometry.Taps;
            for (int r = 0; r < _geometry.Kernel.H; r++)
            {
                (int firstRow, int endRow) = (rows.FirstOutput(r), rows.EndOutput(r));
                for (int s = 0; s < _geometry.Kernel.W; s++, weight++)
                {
                    double w = _weights[weight];
                    (int firstColumn, int endColumn) = (columns.FirstOutput(s), columns.EndOutput(s));
                    for (int ho = firstRow; ho < endRow; ho++)
                    {
                        float* row = plane + (long)ho * _geometry.Output.W * 8;
                        int target = rows.Position(ho, r) * width;
                        for (int wo = firstColumn; wo < endColumn; wo++)
                        {
                            sum[target + columns.Position(wo, s)] += w * row[wo * 8];
                        }
                    }
                }
            }
        }

        Store(sum, dx.Data + dx.Index(n, c, 0, 0), _geometry.Input.Area);
    }

    /// <summary>One filter's gradient over a shard, and its bias gradient as the last element.</summary>
    private void FilterGradient(Activation x, Activation dy, in LocalShard shard, int k, Span<float> leaf)
    {
        int firstChannel = k / _geometry.FiltersPerGroup * _geometry.ChannelsPerGroup;
        double bias = 0;
        for (int n = shard.First; n < shard.End; n++)
        {
            float* gradient = dy.Data + dy.Index(n, k, 0, 0);
            for (int i = 0; i < _geometry.Output.Area; i++)
            {
                bias += gradient[i * 8];
            }
        }

        leaf[_geometry.FilterCount] = (float)bias;
        for (int i = 0; i < _geometry.FilterCount; i++)
        {
            int tap = i % _geometry.Taps;
            double sum = 0;
            for (int n = shard.First; n < shard.End; n++)
            {
                sum += TapGradient(
                    x.Data + x.Index(n, firstChannel + i / _geometry.Taps, 0, 0),
                    dy.Data + dy.Index(n, k, 0, 0),
                    tap / _geometry.Kernel.W,
                    tap % _geometry.Kernel.W);
            }

            leaf[i] = (float)sum;
        }
    }

    private double TapGradient(float* plane, float* gradient, int r, int s)
    {
        Window rows = _geometry.Rows;
        Window columns = _geometry.Columns;
        (int firstColumn, int endColumn) = (columns.FirstOutput(s), columns.EndOutput(s));
        int endRow = rows.EndOutput(r);
        double sum = 0;
        for (int ho = rows.FirstOutput(r); ho < endRow; ho++)
        {
            float* row = plane + (long)rows.Position(ho, r) * _geometry.Input.W * 8;
            float* gradientRow = gradient + (long)ho * _geometry.Output.W * 8;
            for (int wo = firstColumn; wo < endColumn; wo++)
            {
                sum += (double)row[columns.Position(wo, s) * 8] * gradientRow[wo * 8];
            }
        }

        return sum;
    }

    private static void Store(double[] sum, float* plane, int area)
    {
        for (int i = 0; i < area; i++)
        {
            plane[i * 8] = (float)sum[i];
        }
    }
}
