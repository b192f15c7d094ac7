using ConvNet.Grains.Contracts;

namespace ConvNet.Grains.Placement;

/// <summary>Computes nothing and calls nobody, so that only a silo that is gone, frozen or cut off does not answer.</summary>
[PinnedPlacement]
internal sealed class PulseGrain : Grain, IPulseGrain
{
    public Task PingAsync() => Task.CompletedTask;
}
