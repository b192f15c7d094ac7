using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Data;
using ConvNet.Grains.Jobs;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ConvNet.Grains;

/// <summary>What the grains need from a silo's services.</summary>
public static class ConvNetGrainServices
{
    public static IServiceCollection AddConvNetGrains(this IServiceCollection services, ClusterHead head)
    {
        services.AddPlacementDirector<PinnedPlacement, PinnedPlacementDirector>();
        services.AddPlacementDirector<HeadPlacement, HeadPlacementDirector>();
        services.AddSingleton(head);
        services.TryAddSingleton(new JobDeadlines());
        services.TryAddSingleton(new ServerDeadlines());
        services.TryAddSingleton(new CheckpointCache(null, CheckpointCache.DefaultKeep));
        services.AddSingleton<JobMemory>();
        services.AddSingleton<SiloCatalog>();
        services.AddSingleton<DataCatalog>();
        return services;
    }
}
