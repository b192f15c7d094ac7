using ConvNet.Grains.Contracts.Jobs;
using Orleans.Runtime.Placement;

namespace ConvNet.Grains.Placement;

internal sealed class PinnedPlacementDirector(IClusterMembershipService membership) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        string silo = PinnedKey.SiloOf(target.GrainIdentity.Key.ToString()!);
        foreach (SiloAddress candidate in context.GetCompatibleSilos(target))
        {
            if (membership.CurrentSnapshot.Members.TryGetValue(candidate, out ClusterMember? member) && member.Name == silo)
            {
                return Task.FromResult(candidate);
            }
        }

        throw new SiloGoneException($"silo '{silo}' is not in the cluster, so '{target.GrainIdentity}' cannot run there");
    }
}
