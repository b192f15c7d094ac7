using System.Collections.Concurrent;
using ConvNet.Grains.Contracts.Jobs;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace ConvNet.Grains.Placement;

/// <summary>
/// The active silos of this cluster and what they offer, ordered by name so that every layout is reproducible. Of two silos with one name
/// only the older counts: the other is about to leave.
/// </summary>
public sealed class SiloCatalog(IClusterMembershipService membership, ISiloMetadataCache metadata)
{
    private readonly ConcurrentDictionary<SiloAddress, SiloState> _leaving = [];

    /// <summary>Where jobs may take workers and servers: the silos that are not being emptied.</summary>
    public IReadOnlyList<SiloOffer> Silos() => [.. All().Where(silo => StateOf(silo.Name) == SiloState.Active)];

    public IReadOnlyList<SiloOffer> All() => [.. Members().Select(OfferOf).OfType<SiloOffer>()];

    /// <summary>For people and scripts.</summary>
    public IEnumerable<ClusterSilo> Describe() =>
        from member in Members()
        let offer = OfferOf(member)
        where offer is not null
        select new ClusterSilo(
            offer.Name,
            member.SiloAddress.Endpoint.ToString(),
            offer.Workers,
            offer.Servers,
            offer.Workers ? offer.Devices : 0,
            offer.Threads,
            offer.Version,
            offer.Started)
        {
            Host = offer.Host,
            Compute = offer.Compute,
            State = _leaving.GetValueOrDefault(member.SiloAddress),
        };

    /// <summary>As far as it was told here; a silo that is started again under the name is active.</summary>
    public SiloState StateOf(string name) => AddressOf(name) is { } address ? _leaving.GetValueOrDefault(address) : SiloState.Active;

    /// <summary>A silo is being emptied, or is empty. It stays so until its process ends: what is known of those that are gone is forgotten.</summary>
    public void Note(SiloAddress silo, SiloState state)
    {
        _leaving[silo] = state;
        foreach (SiloAddress gone in _leaving.Keys.Where(known => membership.CurrentSnapshot.GetSiloStatus(known) == SiloStatus.Dead))
        {
            _leaving.TryRemove(gone, out _);
        }
    }

    /// <summary>The silo with this name, or null if there is none.</summary>
    public SiloAddress? AddressOf(string name) => Members().FirstOrDefault(member => member.Name == name)?.SiloAddress;

    /// <summary>Addresses in the order of the silos' names.</summary>
    public IEnumerable<SiloAddress> Addresses() => Members().Select(member => member.SiloAddress);

    private SiloOffer? OfferOf(ClusterMember member) =>
        SiloOffer.FromMetadata(member.Name, metadata.GetSiloMetadata(member.SiloAddress).Metadata);

    private IEnumerable<ClusterMember> Members() => membership.CurrentSnapshot.Members.Values
        .Where(member => member.Status == SiloStatus.Active)
        .GroupBy(member => member.Name, StringComparer.Ordinal)
        .Select(group => group.MinBy(member => (member.SiloAddress.Generation, member.SiloAddress.Endpoint.Port))!)
        .OrderBy(member => member.Name, StringComparer.Ordinal);
}
