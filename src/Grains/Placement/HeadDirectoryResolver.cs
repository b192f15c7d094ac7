using Microsoft.Extensions.DependencyInjection;
using Orleans.GrainDirectory;
using Orleans.Metadata;
using Orleans.Runtime.GrainDirectory;

namespace ConvNet.Grains.Placement;

/// <summary>
/// Has the directory of <see cref="ClusterHead"/> asked for grains of the cluster's head, and for no others: those that are pinned are found
/// without it, also while it is out of reach.
/// </summary>
internal sealed class HeadDirectoryResolver(ClusterHead head, IServiceProvider services) : IGrainDirectoryResolver
{
    public bool TryResolveGrainDirectory(GrainType grainType, GrainProperties? properties, out IGrainDirectory grainDirectory)
    {
        grainDirectory = services.GetRequiredKeyedService<IGrainDirectory>(head.Directory);
        return properties is not null && HeadPlacement.Places(properties);
    }
}
