using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>What a job does next, from a step boundary at which it rests.</summary>
internal abstract record JobAction
{
    private JobAction()
    {
    }

    /// <summary>Train until so many steps are completed.</summary>
    public sealed record Run(long UntilStep) : JobAction;

    /// <summary>Evaluate this version on all test samples.</summary>
    public sealed record Evaluate : JobAction;

    /// <param name="IsFinal">The job is complete, and the checkpoint keeps its result.</param>
    /// <param name="IsAwaited">The job ends, or gives its place up, when it is written; else it trains on meanwhile.</param>
    public sealed record Save(bool IsFinal, bool IsAwaited) : JobAction;

    /// <summary>Give workers and servers up; all that is new is saved.</summary>
    public sealed record Yield : JobAction;

    /// <param name="State">Completed, Stopped, Cancelled, or Failed with everything saved.</param>
    public sealed record End(JobState State) : JobAction;
}
