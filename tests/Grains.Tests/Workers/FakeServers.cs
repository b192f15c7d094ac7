using ConvNet.Engine.Models;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Protocol.Partition;
using ConvNet.Grains.Workers;

namespace ConvNet.Grains.Tests.Workers;

/// <summary>
/// The servers of a job with one partition. Every version is zeros and there at once, and everything that is sent is taken, unless the test says
/// otherwise.
/// </summary>
internal sealed class FakeServers
{
    public FakeServers(Model model)
    {
        var plan = new PartitionPlan(model.Layout, 0, 1);
        Partition.OnPull = (_, chunk) => Task.FromResult<BlockAnswer>(
            new TensorBlock(new float[plan.Chunks[chunk].Length], 0, plan.Chunks[chunk].Length));
    }

    public FakePartition Partition { get; } = new();

    public FakeBatchNorm BatchNorm { get; } = new();

    public FakeCoordinator Coordinator { get; } = new();

    public FakeJobControl Job { get; } = new();

    /// <summary>A generation in which the first of two workers, a/0, has some of 4 shards.</summary>
    public (WorkerSession Session, EngineWaits Waits) Begin(WorkerDevice device, long generation, long firstStep, ShardRange shards)
    {
        var waits = new EngineWaits("a/0");
        var assignment = new Assignment(
            "job",
            "",
            generation,
            firstStep,
            [new AssignedWorker("a/0", 1, shards, 1), new AssignedWorker("b/0", 1, new ShardRange(shards.End, 4), 1)],
            new ServerKeys(["s/job/0"], "s/job", "s/job", "s/job"));
        return (new WorkerSession(device, Links, assignment, 0, waits), waits);
    }

    public WorkerLinks Links => new([Partition], [null], BatchNorm, Coordinator, Job);
}
