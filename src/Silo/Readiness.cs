using ConvNet.Grains.Placement;

namespace ConvNet.Silo;

/// <summary>Whether a silo can take part in jobs now, and if not, why.</summary>
internal sealed class Readiness
{
    private volatile Func<string?> _trouble = () => "it has not joined its cluster yet";

    /// <summary>What stands in the way, for "the silo is not ready: ..."; null if nothing does.</summary>
    public string? Trouble => _trouble();

    /// <summary>The silo has joined; from now on it is ready unless these say otherwise.</summary>
    /// <param name="record">Null if the membership is in the silos.</param>
    public void Join(SiloCatalog catalog, MembershipRecord? record) => _trouble = () =>
        record is { IsLost: true } ? "it is missing in the membership table: the store has come back without its data"
        : record is { IsCutOff: true } ? "the store of the membership does not answer"
        : !catalog.Silos().Any(silo => silo.Servers) ? "the cluster has no silo with the role 'server'"
        : null;

    public void Leave() => _trouble = () => "it is leaving the cluster";
}
