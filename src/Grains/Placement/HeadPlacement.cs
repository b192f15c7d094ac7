using Orleans.Metadata;
using Orleans.Placement;

namespace ConvNet.Grains.Placement;

/// <summary>
/// Places a grain that the cluster has one of on the silo that holds the membership: the cluster cannot live without that one anyway. No
/// grain directory is asked, so that no other silo takes the grain with it when it leaves. A cluster without such a silo uses
/// <see cref="ServerPlacement"/> in its place.
/// </summary>
[GenerateSerializer, Immutable, Alias("ConvNet.HeadPlacement")]
public sealed class HeadPlacement : PlacementStrategy
{
    public override bool IsUsingGrainDirectory => false;

    /// <summary>Whether grains with these properties are placed like this.</summary>
    internal static bool Places(GrainProperties grain) =>
        grain.Properties.TryGetValue(WellKnownGrainTypeProperties.PlacementStrategy, out string? name) && name == nameof(HeadPlacement);
}

[AttributeUsage(AttributeTargets.Class)]
public sealed class HeadPlacementAttribute() : PlacementAttribute(new HeadPlacement());
