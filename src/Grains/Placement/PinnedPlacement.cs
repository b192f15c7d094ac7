using Orleans.Placement;

namespace ConvNet.Grains.Placement;

/// <summary>
/// Places a grain on the silo that its key names ("node-2/0"), and fails when that silo is gone: a worker or partition must never
/// wander to another machine by itself. No grain directory is asked: it lives on all silos, and a silo that leaves would take grains of the
/// others with it.
/// </summary>
[GenerateSerializer, Immutable, Alias("ConvNet.PinnedPlacement")]
public sealed class PinnedPlacement : PlacementStrategy
{
    public override bool IsUsingGrainDirectory => false;
}

[AttributeUsage(AttributeTargets.Class)]
public sealed class PinnedPlacementAttribute() : PlacementAttribute(new PinnedPlacement());
