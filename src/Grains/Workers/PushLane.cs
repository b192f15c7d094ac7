using System.Buffers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Metering;
using ConvNet.Grains.Protocol.Partition;

namespace ConvNet.Grains.Workers;

/// <summary>
/// Sends chunks to one partition, a few at a time; the others wait in a queue, which holds at most the chunks of one step. A chunk's floats are
/// copied from the gradients when its turn comes.
/// </summary>
/// <param name="end">Of the assignment: nothing is sent again after it.</param>
internal sealed class PushLane(ParameterLayout layout, PartitionPlan plan, IParameterServerGrain server, CancellationToken end)
{
    private const int InFlight = 4;

    private readonly Lock _lock = new();
    private readonly Queue<Item> _queue = new();
    private int _inFlight;

    /// <summary>Sends a chunk of the layout's gradients, at once or when its turn comes.</summary>
    /// <param name="root">Index of the gradient root.</param>
    /// <param name="node">Its place in the tree.</param>
    public void Add(PushedStep step, Chunk chunk, int root, TreeNode node)
    {
        step.Open();
        lock (_lock)
        {
            _queue.Enqueue(new Item(step, chunk, root, node));
            if (_inFlight == InFlight)
            {
                return;
            }

            _inFlight++;
        }

        _ = SendAsync();
    }

    /// <summary>Empties the queue; when it returns, gradients are not read any more.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _queue.Clear();
        }
    }

    /// <summary>Sends one chunk after the other until none is left.</summary>
    private async Task SendAsync()
    {
        while (TryTake(out Item item, out float[] buffer))
        {
            try
            {
                await SendAsync(item, buffer).ConfigureAwait(false);
                item.Step.Close();
            }
            catch (Exception e)
            {
                item.Step.Fail(e);
                Clear();
            }
        }
    }

    private bool TryTake(out Item item, out float[] buffer)
    {
        // Copied under the lock, so that a lane that is empty reads nothing.
        lock (_lock)
        {
            if (!_queue.TryDequeue(out item))
            {
                _inFlight--;
                buffer = [];
                return false;
            }

            int root = item.Root;
            buffer = ArrayPool<float>.Shared.Rent(item.Chunk.Length);
            plan.GatherChunk(item.Chunk.Index, tensor => layout.Tensors[tensor].GradientRoot(root), buffer);
            return true;
        }
    }

    /// <summary>The buffer goes back to the pool only after a first call that was answered: otherwise it may still be in use.</summary>
    private async Task SendAsync(Item item, float[] buffer)
    {
        var key = new GradientRoot(item.Step.Header, item.Chunk.Index, item.Node);
        var block = new TensorBlock(buffer, 0, item.Chunk.Length);
        bool recycle = true;
        await GrainCalls.DeliverAsync(
            () => server.PushAsync(key, block),
            () => $"push of step {key.Header.Step} to partition {plan.Partition}",
            onRetry: () => recycle = false,
            end).ConfigureAwait(false);
        WorkMeter.AddPushed(item.Chunk.Length);
        if (recycle)
        {
            ArrayPool<float>.Shared.Return(buffer);
        }
    }

    private readonly record struct Item(PushedStep Step, Chunk Chunk, int Root, TreeNode Node);
}
