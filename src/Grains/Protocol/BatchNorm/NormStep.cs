using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Protocol.BatchNorm;

/// <summary>The batch-norm sums of one step, forward and (synchronized only) backward.</summary>
internal sealed class NormStep
{
    private int _missing;

    /// <summary>The first bad value in the order (backward?, norm, worker), whatever the order of arrival.</summary>
    private (bool Backward, int Norm, int Worker)? _nonFinite;

    public NormStep(long step, StepNodes nodes, int norms, bool hasBackward)
    {
        Step = step;
        Nodes = nodes;
        Forward = [.. Enumerable.Range(0, norms).Select(_ => new NormSum<Moments>(nodes.Tree, Moments.Combine))];
        Backward = hasBackward
            ? [.. Enumerable.Range(0, norms).Select(_ => new NormSum<BackwardSums>(nodes.Tree, BackwardSums.Combine))]
            : [];
        _missing = Forward.Length + Backward.Length;
    }

    public long Step { get; }

    public StepNodes Nodes { get; }

    public NormSum<Moments>[] Forward { get; }

    public NormSum<BackwardSums>[] Backward { get; }

    public bool IsComplete => _missing == 0;

    public void NoteComplete() => _missing--;

    public void NoteNonFinite(bool backward, int norm, int worker)
    {
        if (_nonFinite is not { } known || (backward, norm, worker).CompareTo(known) < 0)
        {
            _nonFinite = (backward, norm, worker);
        }
    }

    public NonFiniteSource? FindNonFinite(Func<int, string> normName, Func<int, string> workerName) =>
        _nonFinite is { } bad
            ? new NonFiniteSource($"batch norm {normName(bad.Norm)} in {(bad.Backward ? "backward" : "forward")}", workerName(bad.Worker))
            : null;
}
