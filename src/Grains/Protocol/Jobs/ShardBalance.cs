using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>
/// Finds out which workers hold the others up, and gives them fewer shards; when they are quick again, it gives the shards back. Weights are
/// set anew only when it pays, and after every worker has been measured over 20 steps of the generation. Pure.
/// </summary>
/// <param name="shards">S.</param>
internal sealed class ShardBalance(int shards)
{
    /// <summary>A smaller part of the time of a step that could be saved may be noise, and is not worth a change of generation.</summary>
    private const double LeastGain = 0.15;

    /// <summary>For how many blocks of steps a worker is measured until it gets more shards, by the number of times that it was found to be slow.</summary>
    private static readonly int[] BlocksUntilMore = [0, 5, 20, 80, 320];

    private readonly Dictionary<string, ShardPace> _paces = [];
    private readonly Dictionary<string, int> _foundSlow = [];
    private Dictionary<string, double> _weights = [];
    private long _generation;

    /// <summary>A worker has told what it has done; of a newer generation, nothing is known yet.</summary>
    public void Measure(WorkerStatus status)
    {
        if (status.Generation != _generation)
        {
            _paces.Clear();
            _generation = status.Generation;
        }

        if (!_paces.TryGetValue(status.Name, out ShardPace? pace))
        {
            _paces[status.Name] = pace = new ShardPace();
        }

        pace.Measure(status.Completed);
        if (pace.Blocks > BlocksUntilMore[^1])
        {
            _foundSlow.Remove(status.Name);
        }
    }

    /// <summary>
    /// Sets other weights if a step would take so much less time with them. What is predicted is the compute time of the worker that takes longest;
    /// what a step takes besides stays.
    /// </summary>
    /// <returns>Who is slow, or is so no more, and what it has now, as a clause for people; null: all stays as it is.</returns>
    public string? Move(Assignment assignment)
    {
        AssignedWorker[] workers = assignment.Workers;
        if (assignment.Generation != _generation || !workers.All(worker => _paces.TryGetValue(worker.Name, out ShardPace? pace) && pace.IsMeasured))
        {
            return null;
        }

        int[] before = [.. workers.Select(worker => worker.Shards.Count)];
        double[] paces = PacesOf(workers);
        int[] after = Deal(paces, [.. workers.Select(worker => MayGrow(worker.Name) ? shards : worker.Shards.Count)]);
        double longest = Longest(before, paces);
        double step = Math.Max(longest, workers.Max(worker => _paces[worker.Name].SecondsPerStep));
        if (!(longest - Longest(after, paces) >= LeastGain * step))
        {
            return null;
        }

        double middle = Middle(paces);
        for (int worker = 0; worker < workers.Length; worker++)
        {
            string name = workers[worker].Name;
            _weights[name] = after[worker];
            if (after[worker] < before[worker] && paces[worker] > middle)
            {
                _foundSlow[name] = Math.Min(_foundSlow.GetValueOrDefault(name) + 1, BlocksUntilMore.Length - 1);
            }
        }

        return Reason(workers, paces, before, after);
    }

    /// <summary>
    /// The weights with which these workers get their shards: all equal until some were found to be slow; after that, whoever is new counts as one in
    /// the middle.
    /// </summary>
    public double[] WeightsOf(IReadOnlyList<AssignedWorker> workers)
    {
        double[] known = [.. workers.Where(worker => _weights.ContainsKey(worker.Name)).Select(worker => _weights[worker.Name])];
        double middle = known.Length == 0 ? 1 : Middle(known);
        _weights = workers.ToDictionary(worker => worker.Name, worker => _weights.GetValueOrDefault(worker.Name, middle));
        return [.. workers.Select(worker => _weights[worker.Name])];
    }

    /// <summary>
    /// Seconds that a shard takes at each worker. What a worker does quickly with few shards it may not do with many: a machine that is halted most of
    /// the time looks quick while it has little to do. So none counts as quicker than all of those that have more shards.
    /// </summary>
    private double[] PacesOf(AssignedWorker[] workers)
    {
        return [.. workers.Select(worker => Math.Max(PaceOf(worker), LeastPaceAbove(worker)))];

        double PaceOf(AssignedWorker worker) => _paces[worker.Name].SecondsPerShard;

        double LeastPaceAbove(AssignedWorker worker) =>
            workers.Where(other => other.Shards.Count > worker.Shards.Count).Select(PaceOf).DefaultIfEmpty(0).Min();
    }

    /// <summary>Who was slow again each time that it got its shards back has to wait for them longer and longer.</summary>
    private bool MayGrow(string worker) => _paces[worker].Blocks >= BlocksUntilMore[_foundSlow.GetValueOrDefault(worker)];

    /// <summary>So many shards for each worker that the one that takes longest takes the shortest time; at least one each.</summary>
    /// <param name="most">For each worker.</param>
    private int[] Deal(double[] paces, int[] most)
    {
        int[] counts = [.. paces.Select(_ => 1)];
        for (int dealt = counts.Length; dealt < shards; dealt++)
        {
            int next = Enumerable.Range(0, counts.Length)
                .Where(worker => counts[worker] < most[worker])
                .MinBy(worker => (counts[worker] + 1) * paces[worker]);
            counts[next]++;
        }

        return counts;
    }

    private static double Longest(int[] counts, double[] paces) => counts.Zip(paces, (count, pace) => count * pace).Max();

    private static double Middle(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    /// <summary>About the worker that differs most from the others and whose part changes most.</summary>
    private string Reason(AssignedWorker[] workers, double[] paces, int[] before, int[] after)
    {
        int most = Enumerable.Range(0, workers.Length).MaxBy(worker =>
            Math.Abs(Math.Log((double)after[worker] / before[worker])) + Math.Abs(Math.Log(TimesTheOthers(worker))));
        string others = workers.Length > 2 ? "others" : "other";
        return FormattableString.Invariant($"{workers[most].Name} takes {TimesTheOthers(most):F1} times as long a shard as the {others}: ") +
            $"it has {after[most]} {(after[most] == 1 ? "shard" : "shards")} of {shards} now, before {before[most]}";

        double TimesTheOthers(int worker) => paces[worker] / Middle(paces.Where((_, other) => other != worker));
    }
}
