using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Data;
using ConvNet.Grains.Jobs;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Servers;
using ConvNet.Grains.Workers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Runtime.GrainDirectory;
using Orleans.Runtime.Placement;
using Orleans.Storage;

namespace ConvNet.Grains;

/// <summary>What the grains need from a silo's services.</summary>
public static class ConvNetGrainServices
{
    /// <summary>The grain storage for the records of jobs; a cluster whose head has a directory outside the silos names one, too.</summary>
    public const string JobStore = JobGrain.Store;

    public static IServiceCollection AddConvNetGrains(this IServiceCollection services, ClusterHead head)
    {
        services.AddPlacementDirector<PinnedPlacement, PinnedPlacementDirector>();
        services.AddPlacementDirector<HeadPlacement, HeadPlacementDirector>();
        services.AddPlacementDirector<ServerPlacement, ServerPlacementDirector>();
        if (head.Directory is not null)
        {
            services.AddSingleton<IPlacementStrategyResolver, HeadPlacementResolver>();
            services.AddSingleton<IGrainDirectoryResolver, HeadDirectoryResolver>();
        }
        else
        {
            services.TryAddKeyedSingleton<IGrainStorage>(JobGrain.Store, new ProcessStore());
        }

        services.AddSingleton(head);
        services.TryAddSingleton(new JobDeadlines());
        services.TryAddSingleton(new ServerDeadlines());
        services.TryAddSingleton(new WorkerDeadlines());
        services.TryAddSingleton(new CheckpointCache(null, CheckpointCache.DefaultKeep));
        services.TryAddSingleton(SiloDevices.Processor);
        services.AddSingleton<JobMemory>();
        services.AddSingleton<SiloCatalog>();
        services.AddSingleton<DataCatalog>();
        return services;
    }
}
