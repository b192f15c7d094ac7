using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>How many training samples of committed steps each worker of a job has computed, those that were lost included. Pure.</summary>
internal sealed class WorkerSamples(JobShape shape)
{
    private readonly Dictionary<string, long> _samples = [];

    public KeyValuePair<string, long>[] ByWorker => [.. _samples.OrderBy(pair => pair.Key, StringComparer.Ordinal)];

    /// <summary>Goes on, empty as it is, where another one was.</summary>
    public void Restore(IEnumerable<KeyValuePair<string, long>> samples)
    {
        foreach ((string worker, long count) in samples)
        {
            _samples.Add(worker, count);
        }
    }

    /// <summary>Steps are lost that were counted: who computes them again is counted for them.</summary>
    /// <param name="samples">At the last step that is not lost.</param>
    public void GoBack(IEnumerable<KeyValuePair<string, long>> samples)
    {
        foreach (string worker in _samples.Keys)
        {
            _samples[worker] = 0;
        }

        foreach ((string worker, long count) in samples)
        {
            _samples[worker] = count;
        }
    }

    /// <summary>These workers are part of the job from now on, whatever they get to do.</summary>
    public void Include(Assignment assignment)
    {
        foreach (AssignedWorker worker in assignment.Workers)
        {
            _samples.TryAdd(worker.Name, 0);
        }
    }

    /// <summary>The steps first … end − 1 are committed, as this generation computed them.</summary>
    public void Add(Assignment assignment, long first, long end)
    {
        // All steps have one batch, but for the last one of each epoch.
        long epochEnds = end / shape.StepsPerEpoch - first / shape.StepsPerEpoch;
        long last = shape.StepsPerEpoch - 1;
        foreach (AssignedWorker worker in assignment.Workers)
        {
            long whole = (end - first - epochEnds) * SamplesOf(worker, shape.Batch);
            _samples[worker.Name] += whole + epochEnds * SamplesOf(worker, shape.BatchOf(last));
        }
    }

    /// <summary>Of a batch: shard s holds the positions ⌊sB/S⌋ … ⌊(s+1)B/S⌋ − 1.</summary>
    private long SamplesOf(AssignedWorker worker, int batch) =>
        (long)worker.Shards.End * batch / shape.Shards - (long)worker.Shards.First * batch / shape.Shards;
}
