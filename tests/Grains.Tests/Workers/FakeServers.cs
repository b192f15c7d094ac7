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

    public WorkerLinks Links => new([Partition], [null], BatchNorm, Coordinator, Job);
}
