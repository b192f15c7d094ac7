using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>Cuts the shards into contiguous ranges, one per worker: a pure function of (S, ordered live workers, weights).</summary>
public static class ShardAssignment
{
    /// <param name="shards">S.</param>
    /// <param name="weights">Relative speed of each worker, above 0; at least 1 and at most S workers.</param>
    /// <returns>One range for each worker, in order, none of them empty.</returns>
    public static ShardRange[] Assign(int shards, IReadOnlyList<double> weights)
    {
        int workers = weights.Count;
        JobLimits.CheckWorkers(workers, shards);
        if (weights.Any(weight => !(weight > 0 && double.IsFinite(weight))))
        {
            throw ConvNetException.BadInput($"worker weights must be positive numbers, but are {string.Join(", ", weights)}.");
        }

        double total = weights.Sum();
        var ranges = new ShardRange[workers];
        double before = 0;
        int first = 0;
        for (int worker = 0; worker < workers; worker++)
        {
            before += weights[worker];
            int ideal = (int)Math.Floor(shards * (before / total) + 0.5);
            int end = worker == workers - 1 ? shards : Math.Clamp(ideal, first + 1, shards - (workers - 1 - worker));
            ranges[worker] = new ShardRange(first, end);
            first = end;
        }

        return ranges;
    }
}
