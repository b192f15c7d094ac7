using ConvNet.Engine.Errors;
using ConvNet.Engine.Parameters;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Protocol.Partition;

namespace ConvNet.Grains.Workers;

/// <summary>
/// Brings one version of all parameters to a worker, in the order in which forward needs them (the last bucket first), with a
/// few chunks in flight per partition. The engine waits only for the tensor that it needs next.
/// </summary>
internal sealed class ParameterPull
{
    private const int InFlight = 4;

    private readonly ParameterLayout _layout;
    private readonly PartitionPlan[] _plans;
    private readonly IParameterServerGrain[] _servers;
    private readonly TaskCompletionSource<TensorBlock>[][] _arrivals;
    private readonly bool[][] _copied;

    /// <param name="plans">By partition.</param>
    /// <param name="servers">By partition.</param>
    public ParameterPull(ParameterLayout layout, PartitionPlan[] plans, IParameterServerGrain[] servers)
    {
        _layout = layout;
        _plans = plans;
        _servers = servers;
        _arrivals = [.. plans.Select(plan => new TaskCompletionSource<TensorBlock>[plan.Chunks.Length])];
        _copied = [.. plans.Select(plan => new bool[plan.Chunks.Length])];
    }

    /// <summary>Starts to fetch the version before the header's step; returns at once.</summary>
    public void Begin(MessageHeader header)
    {
        for (int partition = 0; partition < _plans.Length; partition++)
        {
            TaskCompletionSource<TensorBlock>[] arrivals = [.. _plans[partition].Chunks.Select(_ =>
                new TaskCompletionSource<TensorBlock>(TaskCreationOptions.RunContinuationsAsynchronously))];
            _arrivals[partition] = arrivals;
            Array.Clear(_copied[partition]);
            var next = new StrongBox(arrivals.Length);
            for (int lane = 0; lane < Math.Min(InFlight, arrivals.Length); lane++)
            {
                _ = FetchLaneAsync(_servers[partition], partition, next, header, arrivals);
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
                    using TensorBlock block = _arrivals[partition][chunk].Task.GetAwaiter().GetResult();
                    _plans[partition].ScatterChunk(chunk, block.Span, index => _layout.Tensors[index].Values);
                    _copied[partition][chunk] = true;
                }
            }
        }
    }

    /// <summary>Fetches chunks from the last to the first until none is left.</summary>
    private async Task FetchLaneAsync(
        IParameterServerGrain server, int partition, StrongBox left, MessageHeader header, TaskCompletionSource<TensorBlock>[] arrivals)
    {
        int chunk;
        while ((chunk = Interlocked.Decrement(ref left.Value)) >= 0)
        {
            try
            {
                BlockAnswer answer;
                do
                {
                    answer = await GrainCalls.CallAsync(
                        () => server.PullAsync(header, chunk),
                        () => $"pull of version {header.Step} from partition {partition}").ConfigureAwait(false);
                }
                while (answer.Verdict == Verdict.Future);

                string story = $"partition {partition} answered {answer.Verdict} to a pull of version {header.Step}";
                arrivals[chunk].SetResult(answer.Verdict switch
                {
                    Verdict.Accepted => answer.Values!,
                    Verdict.Stale => throw new StepAbortedException(story),
                    _ => throw new ConvNetException(ExitCode.TrainingFailed, $"{story}: {answer.Answer.Reason}"),
                });
            }
            catch (Exception e)
            {
                arrivals[chunk].SetException(e);
            }
        }
    }

    /// <summary>A counter that several lanes share.</summary>
    private sealed class StrongBox(int value)
    {
        public int Value = value;
    }
}
