using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Partition;

namespace ConvNet.Grains.Workers;

/// <summary>
/// Sends gradient roots to their partitions bucket by bucket while backward goes on. Each partition takes them at its own pace; nothing blocks
/// before the end of the step.
/// </summary>
internal sealed class GradientPush
{
    private readonly ParameterLayout _layout;
    private readonly PartitionPlan[] _plans;
    private readonly EngineWaits _waits;
    private readonly PushLane[] _lanes;
    private readonly int[] _bucketTensors;
    private readonly int[] _waiting;
    private readonly Dictionary<Parameter, int[]> _bucketsOfTensor;
    private TreeNode[] _roots = [];
    private PushedStep? _step;

    /// <param name="plans">By partition.</param>
    /// <param name="servers">By partition.</param>
    public GradientPush(ParameterLayout layout, PartitionPlan[] plans, IParameterServerGrain[] servers, EngineWaits waits)
    {
        _layout = layout;
        _plans = plans;
        _waits = waits;
        _lanes = [.. servers.Zip(plans, (server, plan) => new PushLane(layout, plan, server, waits.Token))];
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
        _roots = roots;
        _step = new PushedStep(header);
        _bucketTensors.CopyTo(_waiting, 0);
    }

    /// <summary>Marks a tensor as complete and sends every bucket that is complete with it.</summary>
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
    public void Finish()
    {
        _step!.Close();
        _waits.Wait(_step.End);
    }

    /// <summary>Gives up what has not been sent: when this returns nobody reads gradients any more. The step is over, and no other follows.</summary>
    public void Abandon()
    {
        foreach (PushLane lane in _lanes)
        {
            lane.Clear();
        }
    }

    private IEnumerable<Parameter> TensorsOf(Bucket bucket) =>
        Enumerable.Range(bucket.FirstBlock, bucket.BlockCount)
            .Select(block => _layout.Tensors[_layout.Blocks[block].Tensor])
            .Where(tensor => !tensor.DeliveredByBatchNorm)
            .Distinct();

    private void Send(int bucket)
    {
        _waits.ThrowIfEnded();
        _step!.ThrowIfFailed();
        for (int partition = 0; partition < _plans.Length; partition++)
        {
            foreach (Chunk chunk in _plans[partition].PushedChunksOf(bucket))
            {
                for (int root = 0; root < _roots.Length; root++)
                {
                    _lanes[partition].Add(_step, chunk, root, _roots[root]);
                }
            }
        }
    }
}
