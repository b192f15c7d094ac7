using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using Orleans.Concurrency;

namespace ConvNet.Grains.Placement;

/// <summary>Runs on the silo that is asked.</summary>
[StatelessWorker(maxLocalWorkers: 1)]
internal sealed class ClusterGrain(SiloCatalog catalog) : Grain, IClusterGrain
{
    public Task<ClusterSilo[]> SilosAsync() => Task.FromResult(catalog.Describe().ToArray());
}
