using ConvNet.Grains.Contracts.Jobs;
using Orleans.Runtime.Placement;

namespace ConvNet.Grains.Placement;

/// <summary>
/// The last server silo by name. Jobs take silos from the first one on, so it has fewest of their workers and, if a job has fewer partitions than
/// there are server silos, none of its servers. One that is being emptied comes after all others.
/// </summary>
internal sealed class ServerPlacementDirector(SiloCatalog catalog) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        HashSet<SiloAddress> compatible = [.. context.GetCompatibleSilos(target)];
        SiloAddress? found = catalog.All()
            .OrderBy(silo => catalog.StateOf(silo.Name) != SiloState.Active)
            .ThenByDescending(silo => silo.Servers)
            .ThenByDescending(silo => silo.Name, StringComparer.Ordinal)
            .Select(silo => catalog.AddressOf(silo.Name))
            .FirstOrDefault(address => address is not null && compatible.Contains(address));
        return found is not null
            ? Task.FromResult(found)
            : throw new SiloGoneException($"no silo of the cluster can hold '{target.GrainIdentity}' now.");
    }
}
