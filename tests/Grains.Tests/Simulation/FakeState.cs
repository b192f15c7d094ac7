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
    CoordinatorState Coordinator)
{
    public static FakeState Initial(FakeModel model, OptimizerSpec optimizer) => new(
        [.. Enumerable.Range(0, model.Layout.Tensors.Count).Select(model.InitialWeights)],
        [.. optimizer.SlotNames.Select(_ => model.Layout.Tensors.Select(tensor => new float[tensor.Count]).ToArray())],
        model.InitialStatistics(),
        0,
        CoordinatorState.Initial);

    /// <summary>The values of whole tensors, from the partitions that own their blocks.</summary>
    public static float[][] Tensors(PartitionMachine[] partitions, StorageOf storage)
    {
        float[][] tensors = [.. partitions[0].Plan.Layout.Tensors.Select(tensor => new float[tensor.Count])];
        foreach (PartitionMachine partition in partitions)
        {
            for (int local = 0; local < partition.Plan.Blocks.Length; local++)
            {
                Block block = partition.Plan.BlockAt(local);
                storage(partition).Slice(local * Parameter.BlockSize, block.Length).CopyTo(tensors[block.Tensor].AsSpan(block.Offset));
            }
        }

        return tensors;
    }

    /// <summary>A partition that holds its part of this state.</summary>
    public PartitionMachine Load(PartitionPlan plan, FakeJob job)
    {
        return new PartitionMachine(plan, job.Shape, job.Optimizer, Coordinator.Step, Local(Weights), [.. Slots.Select(Local)]);

        float[] Local(float[][] tensors)
        {
            var local = new float[plan.Length];
            for (int tensor = 0; tensor < tensors.Length; tensor++)
            {
                plan.Gather(tensor, tensors[tensor], local);
            }

            return local;
        }
    }

    public delegate ReadOnlySpan<float> StorageOf(PartitionMachine partition);
}
