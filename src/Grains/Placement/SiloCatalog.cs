using ConvNet.Grains.Contracts.Jobs;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace ConvNet.Grains.Placement;

/// <summary>The active silos of this cluster and what they offer, ordered by name so that every layout is reproducible.</summary>
public sealed class SiloCatalog(IClusterMembershipService membership, ISiloMetadataCache metadata)
{
    public IReadOnlyList<SiloOffer> Silos() =>
    [
        .. membership.CurrentSnapshot.Members.Values
            .Where(member => member.Status == SiloStatus.Active)
            .Select(member => SiloOffer.FromMetadata(member.Name, metadata.GetSiloMetadata(member.SiloAddress).Metadata))
            .OfType<SiloOffer>()
            .OrderBy(offer => offer.Name, StringComparer.Ordinal),
    ];
}
