using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Workers;

/// <summary>A worker's connections to the servers of its job.</summary>
internal sealed class WorkerLinks
{
    public WorkerLinks(IGrainFactory grains, Assignment assignment)
    {
        Partitions = [.. assignment.Servers.Partitions.Select(key => grains.GetGrain<IParameterServerGrain>(key))];
        BatchNorm = grains.GetGrain<IBatchNormGrain>(assignment.Servers.BatchNorm);
        Coordinator = grains.GetGrain<IStepCoordinatorGrain>(assignment.Servers.Coordinator);
        Job = grains.GetGrain<IJobControlGrain>(assignment.JobId);
    }

    public IParameterServerGrain[] Partitions { get; }

    public IBatchNormGrain BatchNorm { get; }

    public IStepCoordinatorGrain Coordinator { get; }

    public IJobControlGrain Job { get; }
}
