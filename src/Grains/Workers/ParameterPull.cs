using ConvNet.Engine;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Protocol;

namespace ConvNet.Grains.Workers;

/// <summary>
/// Brings one version of all parameters to a worker, in the order in which forward needs them (the last bucket first), with a
/// few ranges in flight per partition. The engine waits only for the tensor that it needs next.
/// </summary>
internal sealed class ParameterPull
{
    /// <summary>Blocks per call: 256 KiB.</summary>
    private const int RangeBlocks = 64;
    private const int InFlight = 4;

    private readonly ParameterLayout _layout;
    private readonly WorkerLinks _links;
    private readonly int _worker;
    private readonly List<Range>[] _ranges;
    private readonly int[][] _rangesOfTensor;
    private readonly TaskCompletionSource<TensorBlock>[] _arrivals;
    private readonly bool[] _copied;
    private readonly Range[] _all;

    public ParameterPull(ParameterLayout layout, WorkerLinks links, int worker)
    {
        _layout = layout;
        _links = links;
        _worker = worker;
        int partitions = links.Partitions.Length;
        _ranges = [.. Enumerable.Range(0, partitions).Select(p => Cut(layout, p, partitions).ToList())];
        var rangesOfTensor = new List<int>[layout.Tensors.Count];
        int index = 0;
        foreach (List<Range> ranges in _ranges)
        {
            for (int i = 0; i < ranges.Count; i++)
            {
                ranges[i] = ranges[i] with { Index = index };
                foreach (int tensor in Enumerable.Range(0, ranges[i].Count).Select(b => layout.Blocks[ranges[i].Block(b, partitions)].Tensor).Distinct())
                {
                    (rangesOfTensor[tensor] ??= []).Add(index);
                }

                index++;
            }
        }

        _all = [.. _ranges.SelectMany(ranges => ranges)];
        _rangesOfTensor = [.. rangesOfTensor.Select(list => list.ToArray())];
        _arrivals = new TaskCompletionSource<TensorBlock>[index];
        _copied = new bool[index];
    }

    /// <summary>Starts to fetch a version; returns at once.</summary>
    public void Begin(long generation, long version)
    {
        for (int i = 0; i < _arrivals.Length; i++)
        {
            _arrivals[i] = new TaskCompletionSource<TensorBlock>(TaskCreationOptions.RunContinuationsAsynchronously);
            _copied[i] = false;
        }

        for (int partition = 0; partition < _ranges.Length; partition++)
        {
            int next = -1;
            for (int lane = 0; lane < Math.Min(InFlight, _ranges[partition].Count); lane++)
            {
                int p = partition;
                _ = FetchLaneAsync(p, () => Interlocked.Increment(ref next), generation, version, _arrivals);
            }
        }
    }

    /// <summary>Blocks until this tensor's values have arrived and are in <see cref="Parameter.Values"/>.</summary>
    public void Wait(int tensor)
    {
        foreach (int range in _rangesOfTensor[tensor])
        {
            if (_copied[range])
            {
                continue;
            }

            using TensorBlock block = _arrivals[range].Task.GetAwaiter().GetResult();
            Copy(_all[range], block.Span);
            _copied[range] = true;
        }
    }

    private static IEnumerable<Range> Cut(ParameterLayout layout, int partition, int partitions)
    {
        foreach (Bucket bucket in layout.Buckets.Reverse())
        {
            int first = LocalIndex(bucket.FirstBlock, partition, partitions);
            int end = LocalIndex(bucket.EndBlock, partition, partitions);
            for (int local = first; local < end; local += RangeBlocks)
            {
                yield return new Range(0, partition, local, Math.Min(RangeBlocks, end - local));
            }
        }
    }

    /// <summary>How many blocks below <paramref name="block"/> a partition owns.</summary>
    private static int LocalIndex(int block, int partition, int partitions) => (block - partition + partitions - 1) / partitions;

    private async Task FetchLaneAsync(int partition, Func<int> next, long generation, long version, TaskCompletionSource<TensorBlock>[] arrivals)
    {
        IParameterServerGrain server = _links.Partitions[partition];
        List<Range> ranges = _ranges[partition];
        int i;
        while ((i = next()) < ranges.Count)
        {
            Range range = ranges[i];
            TaskCompletionSource<TensorBlock> arrival = arrivals[range.Index];
            try
            {
                PullReply reply;
                do
                {
                    reply = await WorkerLinks.CallAsync(
                        () => server.PullAsync(generation, version, _worker, range.First, range.Count),
                        () => $"pull of version {version} from partition {partition}").ConfigureAwait(false);
                }
                while (reply.Outcome == PullOutcome.NotYet);

                if (reply.Outcome == PullOutcome.Ready)
                {
                    arrival.SetResult(reply.Values!);
                }
                else
                {
                    arrival.SetException(new StepAbortedException($"partition {partition} answered {reply.Outcome} to a pull of version {version}"));
                }
            }
            catch (Exception e)
            {
                arrival.SetException(e);
            }
        }
    }

    private void Copy(Range range, ReadOnlySpan<float> values)
    {
        for (int i = 0; i < range.Count; i++)
        {
            Block block = _layout.Blocks[range.Block(i, _ranges.Length)];
            values.Slice(i * Parameter.BlockSize, Parameter.BlockSize).CopyTo(_layout.Tensors[block.Tensor].Values.AsSpan(block.Offset));
        }
    }

    /// <summary>Consecutive blocks among those of one partition.</summary>
    private readonly record struct Range(int Index, int Partition, int First, int Count)
    {
        /// <summary>The global number of the i-th block.</summary>
        public int Block(int i, int partitions) => (First + i) * partitions + Partition;
    }
}
