using System.Runtime.InteropServices;
using System.Security.Cryptography;
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

    /// <summary>What is there before a checkpoint of this state is installed.</summary>
    public FakeState Empty() => this with
    {
        Weights = [.. Weights.Select(tensor => new float[tensor.Length])],
        Slots = [.. Slots.Select(slot => slot.Select(tensor => new float[tensor.Length]).ToArray())],
        Statistics = [.. Statistics.Select(norm => BatchNormState.Initial(norm.Name, norm.RunningMean.Length))],
    };

    /// <summary>Running statistics as a server's or a checkpoint's floats hold them: means, then variances.</summary>
    public static BatchNormState StatisticsOf(string name, BlockAnswer floats)
    {
        ReadOnlySpan<float> values = floats.Values!.Span;
        return new BatchNormState(name, values[..(values.Length / 2)].ToArray(), values[(values.Length / 2)..].ToArray());
    }

    /// <summary>Copies a chunk of a partition to where its blocks stand in whole tensors.</summary>
    public static void Scatter(PartitionPlan plan, Chunk chunk, ReadOnlySpan<float> floats, float[][] tensors)
    {
        for (int i = 0; i < chunk.BlockCount; i++)
        {
            Block block = plan.BlockAt(chunk.FirstBlock + i);
            floats.Slice(i * Parameter.BlockSize, block.Length).CopyTo(tensors[block.Tensor].AsSpan(block.Offset));
        }
    }

    /// <summary>Of every bit of the state.</summary>
    public string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (float[] floats in Weights.Concat(Slots.SelectMany(slot => slot))
            .Concat(Statistics.SelectMany(norm => new[] { norm.RunningMean, norm.RunningVar })))
        {
            hash.AppendData(MemoryMarshal.AsBytes<float>(floats));
        }

        EpochTotals epoch = Position.Epoch;
        hash.AppendData(MemoryMarshal.AsBytes<double>(
            [BatchesSeen, Position.Step, Position.Updates, Position.SkipsInARow, epoch.Epoch, epoch.Sums.LossSum, epoch.Sums.Correct, epoch.Sums.Count]));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The floats of one slot that a partition must hold at this state's version.</summary>
    /// <param name="slot">Weights or one of the optimizer's slots (<see cref="StateSlot"/>).</param>
    public float[] PartOf(PartitionPlan plan, int slot)
    {
        var local = new float[plan.Length];
        float[][] tensors = slot == StateSlot.Weights ? Weights : Slots[slot];
        for (int tensor = 0; tensor < tensors.Length; tensor++)
        {
            plan.Gather(tensor, tensors[tensor], local);
        }

        return local;
    }

    /// <summary>A partition that holds its part of this state.</summary>
    public PartitionMachine Load(PartitionPlan plan, FakeJob job)
    {
        var state = new PartitionState(plan, job.Optimizer, Position.Step);
        Install(StateSlot.Weights);
        for (int slot = 0; slot < Slots.Length; slot++)
        {
            Install(slot);
        }

        return new PartitionMachine(job.Shape, job.Optimizer, state);

        void Install(int slot)
        {
            float[] local = PartOf(plan, slot);
            foreach (Chunk chunk in plan.Chunks)
            {
                state.Install(slot, chunk, local.AsSpan(chunk.Offset, chunk.Length));
            }
        }
    }
}
