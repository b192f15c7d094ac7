using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Partition;

namespace ConvNet.Grains.Checkpoints;

/// <summary>The model of a job and the grains that hold its state.</summary>
internal sealed class JobParts
{
    private const int ChunksInFlight = 8;

    public JobParts(IGrainFactory grains, Assignment assignment, long version)
    {
        JobJson = assignment.JobJson;
        Header = assignment.HeaderOf(version);
        Job = JobSpec.FromJson(assignment.JobJson);
        Model = new Model(Job.Model, Job.BatchNormMode);
        Servers = [.. assignment.Servers.Partitions.Select(key => grains.GetGrain<IParameterServerGrain>(key))];
        Plans = [.. Enumerable.Range(0, Servers.Length).Select(p => new PartitionPlan(Model.Layout, p, Servers.Length))];
        BatchNorm = grains.GetGrain<IBatchNormGrain>(assignment.Servers.BatchNorm);
    }

    public string JobJson { get; }

    /// <summary>Of messages about the version that is written or read.</summary>
    public MessageHeader Header { get; }

    public JobSpec Job { get; }

    public Model Model { get; }

    public IParameterServerGrain[] Servers { get; }

    public PartitionPlan[] Plans { get; }

    public IBatchNormGrain BatchNorm { get; }

    /// <summary>What a checkpoint calls a slot of a parameter.</summary>
    public string NameOf(int slot, Parameter parameter) =>
        slot == StateSlot.Weights ? parameter.Name : CheckpointTensors.SlotOf(Job.Optimizer.SlotNames[slot], parameter.Name);

    /// <summary>Runs a call for each chunk of each partition, a bounded number at a time; in a grain, in its turns.</summary>
    public Task ForEachChunkAsync(Func<int, Chunk, Task> call)
    {
        IEnumerable<(int Partition, Chunk Chunk)> chunks = Plans.SelectMany((plan, partition) => plan.Chunks.Select(chunk => (partition, chunk)));
        var window = new ParallelOptions { MaxDegreeOfParallelism = ChunksInFlight, TaskScheduler = TaskScheduler.Current };
        return Parallel.ForEachAsync(chunks, window, async (at, _) => await call(at.Partition, at.Chunk));
    }
}
