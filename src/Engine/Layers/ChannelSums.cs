using ConvNet.Engine.Geometry;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Layers;

/// <summary>Two doubles per sample and channel, and their sums over the samples of a shard, in the order of the samples.</summary>
internal sealed class ChannelSums(Shape shape)
{
    private readonly int _lanes = shape.Blocks * 8;
    private double[] _first = [];
    private double[] _second = [];

    public void Reserve(int samples)
    {
        if (_first.Length < samples * _lanes)
        {
            _first = new double[samples * _lanes];
            _second = new double[samples * _lanes];
        }
    }

    /// <summary>Mean, or Σdy, of a sample's block of 8 channels.</summary>
    public Span<double> First(int n, int block) => _first.AsSpan(n * _lanes + block * 8, 8);

    /// <summary>M2, or Σdy·x̂.</summary>
    public Span<double> Second(int n, int block) => _second.AsSpan(n * _lanes + block * 8, 8);

    /// <summary>Fills <paramref name="total"/> with the sums as backward sums of a shard, and returns it.</summary>
    public BackwardSums Total(in LocalShard shard, BackwardSums total)
    {
        total.Dy.AsSpan().Clear();
        total.DyXhat.AsSpan().Clear();
        for (int n = shard.First; n < shard.End; n++)
        {
            for (int c = 0; c < shape.C; c++)
            {
                total.Dy[c] += _first[n * _lanes + c];
                total.DyXhat[c] += _second[n * _lanes + c];
            }
        }

        return total;
    }

    /// <summary>Fills <paramref name="moments"/> with the sums as moments of a shard, with the arithmetic of <see cref="Moments.Combine"/>.</summary>
    public void Merge(in LocalShard shard, Moments moments)
    {
        double[] mean = moments.Mean;
        double[] m2 = moments.M2;
        _first.AsSpan(shard.First * _lanes, shape.C).CopyTo(mean);
        _second.AsSpan(shard.First * _lanes, shape.C).CopyTo(m2);
        for (int n = shard.First + 1; n < shard.End; n++)
        {
            long before = (long)(n - shard.First) * shape.Area;
            double share = (double)shape.Area / (before + shape.Area);
            for (int c = 0; c < shape.C; c++)
            {
                double delta = _first[n * _lanes + c] - mean[c];
                mean[c] += delta * share;
                m2[c] += _second[n * _lanes + c] + delta * delta * before * share;
            }
        }

        moments.Count = (long)shard.Count * shape.Area;
    }

    /// <summary>Mean and M2 over channels first … end−1 of one sample, with the same arithmetic.</summary>
    public (double Mean, double M2) MergeChannels(int n, int first, int end)
    {
        double mean = _first[n * _lanes + first];
        double m2 = _second[n * _lanes + first];
        for (int c = first + 1; c < end; c++)
        {
            long before = (long)(c - first) * shape.Area;
            double share = (double)shape.Area / (before + shape.Area);
            double delta = _first[n * _lanes + c] - mean;
            mean += delta * share;
            m2 += _second[n * _lanes + c] + delta * delta * before * share;
        }

        return (mean, m2);
    }
}
