namespace ConvNet.Engine.Data;

/// <summary>
/// Which samples belong to which step: a pure function of (seed, samples, batch, step). Each epoch visits every sample once, in an order
/// of its own; the last batch of an epoch is smaller if it must be, never dropped. Keeps the order of one epoch: use it from one thread.
/// </summary>
public sealed class BatchPlan
{
    private readonly ulong _seed;
    private int[] _order = [];
    private long _orderEpoch = -1;

    /// <param name="seed">The job's seed.</param>
    /// <param name="sampleCount">Samples in the training set, at least 1.</param>
    /// <param name="batch">The global batch B, at least 1; larger than the set means one step per epoch.</param>
    public BatchPlan(ulong seed, int sampleCount, int batch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        _seed = seed;
        SampleCount = sampleCount;
        Batch = batch;
        StepsPerEpoch = ((sampleCount - 1) / batch) + 1;
    }

    public int SampleCount { get; }

    public int Batch { get; }

    /// <summary>⌈samples / batch⌉.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>The epoch, from 0, that step <paramref name="step"/> of the job belongs to.</summary>
    public int EpochOf(long step) => checked((int)(step / StepsPerEpoch));

    /// <summary>Samples of step <paramref name="step"/>: B, or fewer in the last step of an epoch.</summary>
    public int SamplesIn(long step)
    {
        int first = (int)(step % StepsPerEpoch) * Batch;
        return Math.Min(Batch, SampleCount - first);
    }

    /// <summary>The data set indices of step <paramref name="step"/>'s samples, in batch order. Valid until another epoch is asked for.</summary>
    public ReadOnlySpan<int> Samples(long step)
    {
        int epoch = EpochOf(step);
        if (epoch != _orderEpoch)
        {
            _order = Permutation(_seed, epoch, SampleCount);
            _orderEpoch = epoch;
        }

        return _order.AsSpan((int)(step % StepsPerEpoch) * Batch, SamplesIn(step));
    }

    /// <summary>The order of one epoch (Fisher and Yates, in Durstenfeld's form from the end), keyed by (seed, epoch).</summary>
    public static int[] Permutation(ulong seed, int epoch, int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        PhiloxStream random = Philox.Shuffle(seed, epoch);
        for (int i = count - 1; i > 0; i--)
        {
            int other = random.NextBelow(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }

        return order;
    }
}
