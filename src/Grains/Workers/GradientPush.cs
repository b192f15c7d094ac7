using System.Buffers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Protocol.Partition;

namespace ConvNet.Grains.Workers;

/// <summary>
/// Sends gradient roots to their partitions bucket by bucket while backward goes on, with a bounded number of messages in flight.
/// </summary>
internal sealed class GradientPush
{
    private const int InFlight = 8;

    private readonly ParameterLayout _layout;
    private readonly IParameterServerGrain[] _servers;
    private readonly PartitionPlan[] _plans;
    private readonly int[] _bucketTensors;
    private readonly int[] _waiting;
    private readonly Dictionary<Parameter, int[]> _bucketsOfTensor;
    private readonly SemaphoreSlim _window = new(InFlight);
    private readonly List<Task> _sent = [];
    private MessageHeader _header;
    private TreeNode[] _roots = [];

    /// <param name="plans">By partition.</param>
    /// <param name="servers">By partition.</param>
    public GradientPush(ParameterLayout layout, PartitionPlan[] plans, IParameterServerGrain[] servers)
    {
        _layout = layout;
        _servers = servers;
        _plans = plans;
        _bucketTensors = [.. layout.Buckets.Select(bucket => TensorsOf(bucket).Count())];
        _waiting = new int[layout.Buckets.Length];
        _bucketsOfTensor = layout.Tensors.ToDictionary(
            tensor => tensor,
            tensor => layout.Buckets.Where(b => TensorsOf(b).Contains(tensor)).Select(b => b.Index).ToArray());
    }

    /// <param name="header">Of this worker's messages in the step.</param>
    /// <param name="roots">Of its plan.</param>
    public void Begin(MessageHeader header, TreeNode[] roots)
    {
        _header = header;
        _roots = roots;
        _bucketTensors.CopyTo(_waiting, 0);
        _sent.Clear();
    }

    /// <summary>Marks a tensor as complete and sends every bucket that is complete with it. Blocks only when too much is in flight.</summary>
    public void Ready(Parameter tensor)
    {
        foreach (int bucket in _bucketsOfTensor[tensor])
        {
            if (--_waiting[bucket] == 0)
            {
                Send(bucket);
            }
        }
    }

    /// <summary>Blocks until everything that was sent is acknowledged.</summary>
    public void Finish() => Task.WhenAll(_sent).GetAwaiter().GetResult();

    private IEnumerable<Parameter> TensorsOf(Bucket bucket) =>
        Enumerable.Range(bucket.FirstBlock, bucket.BlockCount)
            .Select(block => _layout.Tensors[_layout.Blocks[block].Tensor])
            .Where(tensor => !tensor.DeliveredByBatchNorm)
            .Distinct();

    private void Send(int bucket)
    {
        for (int partition = 0; partition < _plans.Length; partition++)
        {
            foreach (Chunk chunk in _plans[partition].PushedChunksOf(bucket))
            {
                for (int root = 0; root < _roots.Length; root++)
                {
                    _window.Wait();
                    _sent.Add(SendAsync(partition, chunk, root));
                }
            }
        }
    }

    private async Task SendAsync(int partition, Chunk chunk, int root)
    {
        try
        {
            int length = chunk.Length;
            float[] buffer = ArrayPool<float>.Shared.Rent(length);
            _plans[partition].GatherChunk(chunk.Index, tensor => _layout.Tensors[tensor].GradientRoot(root), buffer);
            var key = new GradientRoot(_header, chunk.Index, _roots[root]);
            bool recycle = true;
            IParameterServerGrain server = _servers[partition];
            await GrainCalls.DeliverAsync(
                () => server.PushAsync(key, new TensorBlock(buffer, 0, length)),
                () => $"push of step {key.Header.Step} to partition {partition}",
                onRetry: () => recycle = false).ConfigureAwait(false);
            if (recycle)
            {
                ArrayPool<float>.Shared.Return(buffer);
            }
        }
        finally
        {
            _window.Release();
        }
    }
}
