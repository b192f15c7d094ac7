using Orleans.Runtime.Placement;

namespace ConvNet.Grains.Placement;

/// <summary>The primary, if this cluster has one; a cluster inside one process has none, and any silo will do: the first by name.</summary>
internal sealed class HeadPlacementDirector(SiloCatalog catalog, ClusterHead head) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        SiloAddress[] candidates = [.. catalog.Addresses().Intersect(context.GetCompatibleSilos(target))];
        SiloAddress? found = head.Primary is { } primary
            ? candidates.FirstOrDefault(candidate => candidate.Endpoint.Equals(primary))
            : candidates.FirstOrDefault();
        return found is not null
            ? Task.FromResult(found)
            : throw new SiloGoneException($"the primary silo at {head.Primary} is not in the cluster, and its jobs are gone with it.");
    }
}
