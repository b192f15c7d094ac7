using ConvNet.Engine.Layers;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Partition;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Everything that a checkpoint holds, by tensor.</summary>
internal sealed record FakeState(
    float[][] Weights,
    float[][][] Slots,
    IReadOnlyList<BatchNormState> Statistics,
    long BatchesSeen,
    JobPosition Position)
{
    public static FakeState Initial(FakeModel model, OptimizerSpec optimizer) => new(
        [.. Enumerable.Range(0, model.Layout.Tensors.Count).Select(model.InitialWeights)],
        [.. optimizer.SlotNames.Select(_ => model.Layout.Tensors.Select(tensor => new float[tensor.Count]).ToArray())],
        model.InitialStatistics(),
        0,
        JobPosition.Start);

    /// <summary>The values of whole tensors, from the partitions that own their blocks.</summary>
    /// <param name="header">Of the job's generation; each partition is read at the version that it is at.</param>
    /// <param name="slot">Weights or one of the optimizer's slots (<see cref="StateSlot"/>).</param>
    public static float[][] Tensors(PartitionMachine[] partitions, MessageHeader header, int slot)
    {
        float[][] tensors = [.. partitions[0].Plan.Layout.Tensors.Select(tensor => new float[tensor.Count])];
        foreach (PartitionMachine partition in partitions)
        {
            foreach (Chunk chunk in partition.Plan.Chunks)
            {
                ReadOnlySpan<float> floats = partition.Read(header with { Step = partition.Version }, slot, chunk.Index).Values!.Span;
                for (int i = 0; i < chunk.BlockCount; i++)
                {
                    Block block = partition.Plan.BlockAt(chunk.FirstBlock + i);
                    floats.Slice(i * Parameter.BlockSize, block.Length).CopyTo(tensors[block.Tensor].AsSpan(block.Offset));
                }
            }
        }

        return tensors;
    }

    /// <summary>A partition that holds its part of this state.</summary>
    public PartitionMachine Load(PartitionPlan plan, FakeJob job)
    {
        var state = new PartitionState(plan, job.Optimizer, Position.Step);
        Install(StateSlot.Weights, Weights);
        for (int slot = 0; slot < Slots.Length; slot++)
        {
            Install(slot, Slots[slot]);
        }

        return new PartitionMachine(job.Shape, job.Optimizer, state);

        void Install(int slot, float[][] tensors)
        {
            var local = new float[plan.Length];
            for (int tensor = 0; tensor < tensors.Length; tensor++)
            {
                plan.Gather(tensor, tensors[tensor], local);
            }

            foreach (Chunk chunk in plan.Chunks)
            {
                state.Install(slot, chunk, local.AsSpan(chunk.Offset, chunk.Length));
            }
        }
    }
}
