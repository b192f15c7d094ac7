using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Workers;

/// <summary>A worker's connections to the servers of its job.</summary>
internal sealed record WorkerLinks(
    IParameterServerGrain[] Partitions, IBatchNormGrain BatchNorm, IStepCoordinatorGrain Coordinator, IJobControlGrain Job)
{
    public static WorkerLinks Of(IGrainFactory grains, Assignment assignment) => new(
        [.. assignment.Servers.Partitions.Select(key => grains.GetGrain<IParameterServerGrain>(key))],
        grains.GetGrain<IBatchNormGrain>(assignment.Servers.BatchNorm),
        grains.GetGrain<IStepCoordinatorGrain>(assignment.Servers.Coordinator),
        grains.GetGrain<IJobControlGrain>(assignment.JobId));
}
