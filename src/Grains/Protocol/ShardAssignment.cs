using ConvNet.Engine;

namespace ConvNet.Grains.Protocol;

/// <summary>Shards first … end − 1 of every step.</summary>
public readonly record struct ShardRange(int First, int End)
{
    public int Count => End - First;
}

/// <summary>A worker of one generation and the shards that it computes.</summary>
/// <param name="Name">{silo}/{device}.</param>
/// <param name="Incarnation">Grows whenever the worker's activation starts anew.</param>
public sealed record AssignedWorker(string Name, int Incarnation, ShardRange Shards)
{
    public override string ToString() => $"worker {Name}";
}

/// <summary>Who computes what in one generation. A message names its worker by the index in <see cref="Workers"/>.</summary>
public sealed record Assignment(long Generation, IReadOnlyList<AssignedWorker> Workers)
{
    public static Assignment Create(long generation, int shards, IReadOnlyList<(string Name, int Incarnation, double Weight)> workers)
    {
        ShardRange[] ranges = ShardAssignment.Assign(shards, [.. workers.Select(worker => worker.Weight)]);
        return new Assignment(generation, [.. workers.Zip(ranges, (worker, range) => new AssignedWorker(worker.Name, worker.Incarnation, range))]);
    }
}

/// <summary>Cuts the shards into contiguous ranges, one per worker: a pure function of (S, ordered live workers, weights).</summary>
public static class ShardAssignment
{
    /// <param name="shards">S.</param>
    /// <param name="weights">Relative speed of each worker, above 0; at least 1 and at most S workers.</param>
    /// <returns>One range for each worker, in order, none of them empty.</returns>
    public static ShardRange[] Assign(int shards, IReadOnlyList<double> weights)
    {
        int workers = weights.Count;
        if (workers < 1 || workers > shards)
        {
            throw ConvNetException.BadInput(
                $"{workers} workers cannot share {shards} data shards: every worker needs at least one. " +
                "Use fewer workers, or more shards with --data-shards, which changes the result.");
        }

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
