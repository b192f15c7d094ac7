using Orleans.Metadata;
using Orleans.Runtime.Placement;

namespace ConvNet.Grains.Placement;

/// <summary>Has grains with <see cref="HeadPlacement"/> placed by <see cref="ServerPlacement"/>, in a cluster that has no head.</summary>
internal sealed class HeadPlacementResolver : IPlacementStrategyResolver
{
    private static readonly ServerPlacement Placement = new();

    public bool TryResolvePlacementStrategy(GrainType grainType, GrainProperties? properties, out PlacementStrategy result)
    {
        result = Placement;
        return properties is not null && HeadPlacement.Places(properties);
    }
}
