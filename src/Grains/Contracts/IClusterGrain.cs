using ConvNet.Grains.Contracts.Jobs;
using Orleans.Concurrency;

namespace ConvNet.Grains.Contracts;

/// <summary>What any silo knows about its cluster; key 0.</summary>
[Alias("ConvNet.IClusterGrain")]
public interface IClusterGrain : IGrainWithIntegerKey
{
    /// <summary>The active silos, ordered by name. Cheap: the silo that is asked calls nobody.</summary>
    [Alias("Silos"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task<ClusterSilo[]> SilosAsync();
}
