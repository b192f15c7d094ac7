using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Workers;

/// <summary>A worker's connections to the servers of its job.</summary>
/// <param name="Beside">By partition: its standby, if that is on the worker's own silo, or null.</param>
internal sealed record WorkerLinks(
    IParameterServerGrain[] Partitions,
    IParameterServerGrain?[] Beside,
    IBatchNormGrain BatchNorm,
    IStepCoordinatorGrain Coordinator,
    IJobControlGrain Job)
{
    /// <param name="worker">Its key.</param>
    public static WorkerLinks Of(IGrainFactory grains, Assignment assignment, string worker) => new(
        [.. assignment.Servers.Partitions.Select(key => grains.GetGrain<IParameterServerGrain>(key))],
        [.. assignment.Servers.Partitions.Select((_, partition) =>
            assignment.Servers.StandbyBeside(partition, worker) is { } key ? grains.GetGrain<IParameterServerGrain>(key) : null)],
        grains.GetGrain<IBatchNormGrain>(assignment.Servers.BatchNorm),
        grains.GetGrain<IStepCoordinatorGrain>(assignment.Servers.Coordinator),
        grains.GetGrain<IJobControlGrain>(assignment.JobId));
}
