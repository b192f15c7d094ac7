using ConvNet.Grains.Contracts.Jobs;
using Orleans.Runtime.Placement;

namespace ConvNet.Grains.Placement;

internal sealed class PinnedPlacementDirector(SiloCatalog catalog) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        string silo = PinnedKey.SiloOf(target.GrainIdentity.Key.ToString()!);
        return catalog.AddressOf(silo) is { } address && context.GetCompatibleSilos(target).Contains(address)
            ? Task.FromResult(address)
            : throw new SiloGoneException($"silo '{silo}' is not in the cluster, so '{target.GrainIdentity}' cannot run there.");
    }
}
