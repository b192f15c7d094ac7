using ConvNet.Grains.Contracts;

namespace ConvNet.Grains.Workers;

/// <summary>Thrown on the engine's thread when this generation has ended: the worker drops the step and waits for new orders.</summary>
internal sealed class StepAbortedException(string message) : Exception(message);

/// <summary>A worker's connections to the servers of its job.</summary>
internal sealed class WorkerLinks
{
    public WorkerLinks(IGrainFactory grains, WorkerAssignment assignment)
    {
        Partitions = [.. assignment.Partitions.Select(key => grains.GetGrain<IParameterServerGrain>(key))];
        BatchNorm = grains.GetGrain<IBatchNormGrain>(assignment.ServerKey);
        Coordinator = grains.GetGrain<IStepCoordinatorGrain>(assignment.ServerKey);
        Job = grains.GetGrain<IJobControlGrain>(assignment.JobId);
    }

    public IParameterServerGrain[] Partitions { get; }

    public IBatchNormGrain BatchNorm { get; }

    public IStepCoordinatorGrain Coordinator { get; }

    public IJobControlGrain Job { get; }
}
