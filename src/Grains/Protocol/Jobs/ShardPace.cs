using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>
/// How long one worker takes for a shard: the median over the last blocks of steps, so that a pause in one of them, of a collector or of a
/// neighbour on the machine, does not count. Pure.
/// </summary>
internal sealed class ShardPace
{
    private const int BlockSteps = 4;
    private const int Enough = 5;

    private readonly Queue<(double OfShard, double OfStep)> _blocks = [];
    private CompletedSteps? _blockStart;

    /// <summary>The last 20 steps are measured, or more if steps are so short that a block of many is told at once.</summary>
    public bool IsMeasured => Blocks >= Enough;

    /// <summary>So many have been measured.</summary>
    public long Blocks { get; private set; }

    /// <summary>Computing, without waits.</summary>
    public double SecondsPerShard => Median(block => block.OfShard);

    /// <summary>Of the worker, with its waits.</summary>
    public double SecondsPerStep => Median(block => block.OfStep);

    /// <summary>Takes what the worker has told; a block ends with the first sight after its last step.</summary>
    public void Measure(CompletedSteps completed)
    {
        if (_blockStart is not { } start)
        {
            _blockStart = completed;
            return;
        }

        long steps = completed.Steps - start.Steps, shards = completed.Shards - start.Shards;
        if (steps < BlockSteps || shards <= 0)
        {
            return;
        }

        _blocks.Enqueue(((completed.ComputeSeconds - start.ComputeSeconds) / shards, (completed.Seconds - start.Seconds) / steps));
        _blockStart = completed;
        Blocks++;
        if (_blocks.Count > Enough)
        {
            _blocks.Dequeue();
        }
    }

    private double Median(Func<(double OfShard, double OfStep), double> ofBlock)
    {
        double[] sorted = [.. _blocks.Select(ofBlock).Order()];
        return sorted[sorted.Length / 2];
    }
}
