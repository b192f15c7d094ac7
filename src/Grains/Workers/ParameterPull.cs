using ConvNet.Engine.Parameters;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Metering;
using ConvNet.Grains.Protocol.Partition;

namespace ConvNet.Grains.Workers;

/// <summary>
/// Brings one version of all parameters to a worker, in the order in which forward needs them (the last bucket first), with a
/// few chunks in flight per partition. The engine waits only for the tensor that it needs next. What the standby of a partition has
/// on the worker's own silo comes from there by reference; the rest from the partition.
/// </summary>
internal sealed class ParameterPull
{
    private const int InFlight = 4;

    private readonly ParameterLayout _layout;
    private readonly PartitionPlan[] _plans;
    private readonly IParameterServerGrain[] _servers;
    private readonly IParameterServerGrain?[] _beside;
    private readonly EngineWaits _waits;
    private readonly bool[][] _copied;
    private Arrivals _arrivals;

    /// <param name="plans">By partition.</param>
    /// <param name="servers">By partition.</param>
    /// <param name="beside">By partition: its standby on the worker's own silo, or null.</param>
    public ParameterPull(
        ParameterLayout layout, PartitionPlan[] plans, IParameterServerGrain[] servers, IParameterServerGrain?[] beside, EngineWaits waits)
    {
        _layout = layout;
        _plans = plans;
        _servers = servers;
        _beside = beside;
        _waits = waits;
        _arrivals = new Arrivals(plans);
        _copied = [.. plans.Select(plan => new bool[plan.Chunks.Length])];
    }

    /// <summary>Starts to fetch the version before the header's step; returns at once.</summary>
    public void Begin(MessageHeader header)
    {
        Arrivals arrivals = _arrivals = new Arrivals(_plans);
        for (int partition = 0; partition < _plans.Length; partition++)
        {
            Array.Clear(_copied[partition]);
            // Calls of the engine's thread would fill the stocks of the pool's, as those of GrainCalls say.
            for (int lane = 0; lane < Math.Min(InFlight, _plans[partition].Chunks.Length); lane++)
            {
                int fetched = partition;
                _ = Task.Run(() => FetchLaneAsync(fetched, header, arrivals));
            }
        }
    }

    /// <summary>Blocks until this tensor's values have arrived and are in <see cref="Parameter.Values"/>.</summary>
    public void Wait(int tensor)
    {
        for (int partition = 0; partition < _plans.Length; partition++)
        {
            foreach (int chunk in _plans[partition].ChunksOfTensor(tensor))
            {
                if (!_copied[partition][chunk])
                {
                    using TensorBlock block = _waits.Wait(_arrivals.Of(partition, chunk));
                    _plans[partition].ScatterChunk(chunk, block.Span, index => _layout.Tensors[index].Values);
                    _copied[partition][chunk] = true;
                }
            }
        }
    }

    /// <summary>Fetches chunks from the last to the first until none is left, or none is wanted any more.</summary>
    private async Task FetchLaneAsync(int partition, MessageHeader header, Arrivals arrivals)
    {
        IParameterServerGrain server = _servers[partition];
        try
        {
            while (arrivals.TryTakeNext(partition, out int chunk))
            {
                TensorBlock? values = await AskBesideAsync(partition, header, chunk).ConfigureAwait(false);
                values ??= (await _waits.AskAsync(
                    () => server.PullAsync(header, chunk),
                    () => $"pull of version {header.Step} from partition {partition}").ConfigureAwait(false)).Values!;
                WorkMeter.AddPulled(values.Length);
                arrivals.Set(partition, chunk, values);
            }
        }
        catch (Exception e)
        {
            arrivals.Fail(e);
        }
    }

    /// <summary>Null if no standby is there, or if it does not have the version yet: the partition has to be asked.</summary>
    private async Task<TensorBlock?> AskBesideAsync(int partition, MessageHeader header, int chunk)
    {
        if (_beside[partition] is not { } standby)
        {
            return null;
        }

        try
        {
            return (await standby.PullAsync(header, chunk).WaitAsync(_waits.Token).ConfigureAwait(false)).Values;
        }
        catch (Exception)
        {
            // Whatever is wrong with a copy, the partition has the last word.
            return null;
        }
    }

    /// <summary>The chunks of one version, by partition.</summary>
    private sealed class Arrivals(PartitionPlan[] plans)
    {
        private readonly TaskCompletionSource<TensorBlock>[][] _chunks = [.. plans.Select(plan => plan.Chunks
            .Select(_ => new TaskCompletionSource<TensorBlock>(TaskCreationOptions.RunContinuationsAsynchronously)).ToArray())];

        private readonly int[] _left = [.. plans.Select(plan => plan.Chunks.Length)];
        private volatile bool _failed;

        public Task<TensorBlock> Of(int partition, int chunk) => _chunks[partition][chunk].Task;

        /// <summary>The next chunk to fetch; false if there is none, or if something has failed.</summary>
        public bool TryTakeNext(int partition, out int chunk)
        {
            chunk = _failed ? -1 : Interlocked.Decrement(ref _left[partition]);
            return chunk >= 0;
        }

        public void Set(int partition, int chunk, TensorBlock block)
        {
            if (!_chunks[partition][chunk].TrySetResult(block))
            {
                block.Dispose();
            }
        }

        /// <summary>Ends every wait: a version that is not whole is of no use.</summary>
        public void Fail(Exception e)
        {
            _failed = true;
            foreach (TaskCompletionSource<TensorBlock> chunk in _chunks.SelectMany(chunks => chunks))
            {
                chunk.TrySetException(e);
            }
        }
    }
}
