namespace ConvNet.Engine.Reduction;

/// <summary>A non-empty data shard that a worker holds in one step.</summary>
/// <param name="Shard">Its index in the job.</param>
/// <param name="First">Index of its first sample among the worker's own samples of the step.</param>
/// <param name="Count">Samples, at least 1.</param>
/// <param name="Combines">After this leaf: how often to combine the two topmost partial sums.</param>
/// <param name="Root">After those: the index in <see cref="ShardPlan.Roots"/> of the sum that is then complete, or −1.</param>
public readonly record struct LocalShard(int Shard, int First, int Count, int Combines, int Root)
{
    public int End => First + Count;
}
