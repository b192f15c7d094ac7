using ConvNet.Engine.Numerics;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Data;

/// <summary>
/// Which samples belong to which step: a pure function of (seed, shape of the job, step). Each epoch visits every sample once, in an order
/// of its own; the last batch of an epoch is smaller if it must be, or left out if the job says so. Keeps the order of one epoch: use it
/// from one thread at a time.
/// </summary>
public sealed class BatchPlan
{
    private readonly ulong _seed;
    private int[] _order = [];
    private long _orderEpoch = -1;

    /// <param name="seed">The job's seed.</param>
    public BatchPlan(ulong seed, JobShape job)
    {
        _seed = seed;
        Job = job;
    }

    public JobShape Job { get; }

    /// <summary>
    /// The data set indices of step <paramref name="step"/>'s samples, in batch order. Valid until another epoch is asked for.
    /// </summary>
    public ReadOnlySpan<int> Samples(long step)
    {
        int epoch = Job.EpochOf(step);
        if (epoch != _orderEpoch)
        {
            _order = Permutation(_seed, epoch, Job.Samples);
            _orderEpoch = epoch;
        }

        return _order.AsSpan(Job.FirstPositionOf(step), Job.BatchOf(step));
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
