using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Devices;

namespace ConvNet.Gpu.Layers;

/// <summary>Everything about the pass in progress that a device layer may ask for; the mirror of <see cref="StepContext"/>.</summary>
public sealed class DeviceStep : IDisposable
{
    internal DeviceStep(KernelDevice device) =>
        (Shards, Gradients, Downloads) = (new ShardTable(device), new GradientRoots(device), new Downloads(device));

    /// <summary>Told where the time goes, if not null.</summary>
    public StepProfile? Profile { get; internal set; }

    /// <summary>False in evaluation: running statistics, no dropout.</summary>
    public bool Training { get; internal set; }

    /// <summary>Samples in this pass on this worker; sample i lies in slot i of every tensor.</summary>
    public int Samples { get; internal set; }

    /// <summary>This worker's shards and roots; training only.</summary>
    public ShardPlan Plan
    {
        get => field ?? throw new InvalidOperationException("Only a training step has a plan.");
        internal set;
    }

    /// <summary>Training only.</summary>
    public StepExchange Exchange
    {
        get => field ?? throw new InvalidOperationException("Only a training step has an exchange.");
        internal set;
    }

    /// <summary>Where the parameters are kept on the device, and their gradients go; null if the exchange has them. Training only.</summary>
    internal DeviceParameters? Kept { get; set; }

    /// <summary>The plan's shards in the device's memory; training only.</summary>
    public ShardTable Shards { get; }

    /// <summary>Where the leaves of gradients become roots; training only.</summary>
    public GradientRoots Gradients { get; }

    /// <summary>What is on its way to the exchange; training only.</summary>
    public Downloads Downloads { get; }

    /// <summary>The step's number over the whole job; keys dropout.</summary>
    public long Step { get; internal set; }

    public ulong Seed { get; internal set; }

    /// <summary>For each sample of the pass, its index in the data set; keys dropout.</summary>
    public int[] SampleIndices { get; internal set; } = [];

    public void Dispose()
    {
        Shards.Dispose();
        Gradients.Dispose();
    }
}
