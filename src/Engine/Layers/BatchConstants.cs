using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Layers;

/// <summary>Batch norm's constants of normalization: one set for each group of samples that share statistics, and γ and β.</summary>
internal sealed class BatchConstants(Shape shape)
{
    private readonly float[] _gamma = new float[shape.Blocks * 8];
    private readonly float[] _beta = new float[shape.Blocks * 8];
    private NormConstants[] _groups = [];
    private long[] _counts = [];
    private int[] _groupOfSample = [];

    /// <summary>Those of a block of 8 channels of sample <paramref name="n"/>.</summary>
    public NormBlock this[int n, int block] => new(_groups[_groupOfSample[n]], _gamma, _beta, block);

    public void Load(ReadOnlySpan<float> gamma, ReadOnlySpan<float> beta)
    {
        gamma[..shape.C].CopyTo(_gamma);
        beta[..shape.C].CopyTo(_beta);
    }

    /// <summary>Room for some groups; every sample is in group 0.</summary>
    public void Reserve(int groups, int samples)
    {
        if (_groups.Length < groups)
        {
            _groups = [.. Enumerable.Range(0, groups).Select(_ => new NormConstants(shape.Blocks * 8))];
            _counts = new long[groups];
        }

        if (_groupOfSample.Length < samples)
        {
            _groupOfSample = new int[samples];
        }

        _groupOfSample.AsSpan(0, samples).Clear();
    }

    public void Assign(int group, in LocalShard shard) => _groupOfSample.AsSpan(shard.First, shard.Count).Fill(group);

    /// <summary>Statistics of the batch.</summary>
    public void Set(int group, Moments moments)
    {
        _counts[group] = moments.Count;
        for (int c = 0; c < shape.C; c++)
        {
            _groups[group].Set(c, moments.Mean[c], moments.M2[c] / moments.Count, BatchNorm.Epsilon);
        }
    }

    /// <summary>Running statistics, for all samples.</summary>
    public void Set(BatchNormState running)
    {
        for (int c = 0; c < shape.C; c++)
        {
            _groups[0].Set(c, running.RunningMean[c], running.RunningVar[c], BatchNorm.Epsilon);
        }
    }

    /// <param name="sums">Over all samples of the group.</param>
    public void SetBackward(int group, BackwardSums sums)
    {
        long count = _counts[group];
        for (int c = 0; c < shape.C; c++)
        {
            double gamma = _gamma[c];
            _groups[group].SetBackward(c, gamma, gamma * sums.Dy[c] / count, gamma * sums.DyXhat[c] / count);
        }
    }
}
