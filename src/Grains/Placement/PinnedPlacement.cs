using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace ConvNet.Grains.Placement;

/// <summary>
/// Places a grain on the silo that its key names ("node-2/0"), and fails when that silo is gone: a worker or partition must never
/// wander to another machine by itself.
/// </summary>
[GenerateSerializer, Immutable, Alias("ConvNet.PinnedPlacement")]
public sealed class PinnedPlacement : PlacementStrategy;

[AttributeUsage(AttributeTargets.Class)]
public sealed class PinnedPlacementAttribute() : PlacementAttribute(new PinnedPlacement());

/// <summary>Thrown to the caller of a pinned grain whose silo is not in the cluster.</summary>
[GenerateSerializer, Alias("ConvNet.SiloGoneException")]
public sealed class SiloGoneException(string message) : Exception(message);

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

/// <summary>Keys of pinned grains: the silo's name, then what the grain is.</summary>
public static class PinnedKey
{
    public static string Worker(string silo, int device) => $"{silo}/{device}";

    public static string OfJob(string silo, string jobId) => $"{silo}/{jobId}";

    public static string Partition(string silo, string jobId, int partition) => $"{silo}/{jobId}/{partition}";

    public static string SiloOf(string key) => key[..key.IndexOf('/')];
}
