using ConvNet.Engine.Layers;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Partition;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How the state of servers is asked for, and given back to them.</summary>
internal sealed partial class SimulatedCluster
{
    public BlockAnswer Pull(SimulatedServer server, MessageHeader header, int chunk)
    {
        BlockAnswer answer = server.Partition!.Pull(header, chunk);
        Counts.Add(server.Partition.IsStandby ? "question for weights at a standby" : "question for weights", answer.Verdict);
        return answer;
    }

    public BlockAnswer Read(SimulatedServer server, MessageHeader header, int slot, int chunk)
    {
        BlockAnswer answer = server.Partition!.Read(header, slot, chunk);
        Counts.Add("question for a version", answer.Verdict);
        return answer;
    }

    public BlockAnswer ReadStatistics(SimulatedServer server, MessageHeader header, int norm)
    {
        BlockAnswer answer = server.BatchNorm!.Read(header, norm);
        Counts.Add("question for statistics", answer.Verdict);
        return answer;
    }

    /// <summary>A part of a checkpoint reaches a server.</summary>
    public Answer Install(SimulatedServer server, MessageHeader header, int slot, Chunk chunk)
    {
        PartitionMachine partition = server.Partition!;
        Answer answer = partition.Install(header, slot, chunk.Index, CheckpointAt(header.Step).PartOf(partition.Plan, slot).AsSpan(chunk.Offset, chunk.Length));
        Invariants.Took(server.Key, header, answer);
        server.AfterMessage();
        return Counts.Add("part of a checkpoint", answer);
    }

    public Answer InstallStatistics(SimulatedServer server, MessageHeader header, int norm)
    {
        BatchNormState state = CheckpointAt(header.Step).Statistics[norm];
        Answer answer = server.BatchNorm!.Install(header, norm, [.. state.RunningMean, .. state.RunningVar]);
        Invariants.Took(server.Key, header, answer);
        server.AfterMessage();
        return Counts.Add("statistics of a checkpoint", answer);
    }
}
