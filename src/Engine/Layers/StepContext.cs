using ConvNet.Engine.Kernels;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>Everything about the pass in progress that a layer may ask for.</summary>
public sealed class StepContext
{
    public StepContext(ThreadTeam team, KernelSet kernels)
    {
        Team = team;
        Kernels = kernels;
    }

    public ThreadTeam Team { get; }

    public KernelSet Kernels { get; }

    /// <summary>Told where the time goes, if not null.</summary>
    public StepProfile? Profile { get; internal set; }

    /// <summary>Where layers put their outputs in evaluation by one thread; null where each layer has memory of its own.</summary>
    internal EvaluationBuffers? Buffers { get; init; }

    /// <summary>False in evaluation: running statistics, no dropout.</summary>
    public bool Training { get; internal set; }

    /// <summary>Samples in this pass on this worker; sample i lies in slot i of every activation.</summary>
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

    /// <summary>The step's number over the whole job; keys dropout.</summary>
    public long Step { get; internal set; }

    public ulong Seed { get; internal set; }

    /// <summary>For each sample of the pass, its index in the data set; keys dropout.</summary>
    public int[] SampleIndices { get; internal set; } = [];
}
