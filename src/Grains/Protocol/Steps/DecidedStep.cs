using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>The last decision, kept for servers that miss it because the workers change.</summary>
internal sealed class DecidedStep(StepDecision decision, PartitionReport?[] partitions)
{
    public StepDecision Decision { get; } = decision;

    public PartitionReport?[] Partitions { get; } = partitions;

    /// <summary>Workers that have not reported the step in this generation, if it runs the step again.</summary>
    public HashSet<int> Missing { get; } = [];

    /// <summary>True if a server has reported the step after the decision, so that it must have missed it.</summary>
    public bool HasReport { get; set; }

    public void RunAgain(int workers)
    {
        Missing.Clear();
        Missing.UnionWith(Enumerable.Range(0, workers));
        HasReport = false;
    }
}
