using ConvNet.Engine.Layers;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Partition;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How the state of servers is asked for, and given back to them.</summary>
internal sealed partial class SimulatedCluster
{
    public BlockAnswer Pull(PartitionMachine partition, MessageHeader header, int chunk)
    {
        BlockAnswer answer = partition.Pull(header, chunk);
        Counts.Add("question for weights", answer.Verdict);
        return answer;
    }

    public BlockAnswer Read(PartitionMachine partition, MessageHeader header, int slot, int chunk)
    {
        BlockAnswer answer = partition.Read(header, slot, chunk);
        Counts.Add("question for a version", answer.Verdict);
        return answer;
    }

    public BlockAnswer ReadStatistics(MessageHeader header, int norm)
    {
        BlockAnswer answer = _batchNorm.Read(header, norm);
        Counts.Add("question for statistics", answer.Verdict);
        return answer;
    }

    /// <summary>A part of a checkpoint reaches a server.</summary>
    public Answer Install(PartitionMachine partition, MessageHeader header, int slot, Chunk chunk)
    {
        Answer answer = partition.Install(header, slot, chunk.Index, CheckpointAt(header.Step).PartOf(partition.Plan, slot).AsSpan(chunk.Offset, chunk.Length));
        Invariants.Took(partition.Plan.Partition, header, answer);
        return Counts.Add("part of a checkpoint", answer);
    }

    public Answer InstallStatistics(MessageHeader header, int norm)
    {
        BatchNormState state = CheckpointAt(header.Step).Statistics[norm];
        Answer answer = _batchNorm.Install(header, norm, [.. state.RunningMean, .. state.RunningVar]);
        Invariants.Took(BatchNormServer, header, answer);
        return Counts.Add("statistics of a checkpoint", answer);
    }
}
