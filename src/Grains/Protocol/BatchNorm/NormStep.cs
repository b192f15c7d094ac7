using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Protocol.BatchNorm;

/// <summary>The batch-norm sums of one step, forward and (synchronized only) backward.</summary>
/// <remarks>A sum is numbered in the order in which a step computes it: forward from the first norm to the last, then backward.</remarks>
internal sealed class NormStep
{
    private int _missing;

    /// <summary>The first bad value in the order (sum, worker), whatever the order of arrival.</summary>
    private (int Sum, int Worker, TreeNode Root)? _nonFinite;

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

    /// <summary>Of all totals; only when complete. Totals that are not finite count as the same.</summary>
    public UInt128 DigestOfTotals()
    {
        UInt128[] digests = [Digest.Of([.. Forward.Select(sum => sum.Total!)]), Digest.Of([.. Backward.Select(sum => sum.Total!)])];
        return _nonFinite is null ? Digest.Of(digests) : default;
    }

    /// <summary>The number of a sum.</summary>
    public int NumberOf(int norm, bool forward) => forward ? norm : 2 * Forward.Length - 1 - norm;

    public void NoteComplete() => _missing--;

    public void NoteNonFinite(int sum, int worker, TreeNode root)
    {
        if (_nonFinite is not { } known || (sum, worker).CompareTo((known.Sum, known.Worker)) < 0)
        {
            _nonFinite = (sum, worker, root);
        }
    }

    public NonFiniteSource? FindNonFinite(Func<int, string> normName, Func<int, string> workerName) => _nonFinite is { } bad
        ? new NonFiniteSource(WhatIs(bad.Sum, normName), workerName(bad.Worker), Nodes.SamplesOf(bad.Root), OrderOf(bad.Sum))
        : null;

    /// <summary>Adds what has arrived, with the names of those who sent it.</summary>
    public void AddTo(EarlierRoots earlier, Func<int, string> workerName)
    {
        foreach (int worker in Enumerable.Range(0, Nodes.Workers))
        {
            for (int norm = 0; norm < Forward.Length; norm++)
            {
                Add(NumberOf(norm, forward: true), Forward[norm].PrintsOf(worker));
                Add(NumberOf(norm, forward: false), Backward.Length == 0 ? null : Backward[norm].PrintsOf(worker));
            }

            void Add(int sum, Fingerprint[]? prints)
            {
                foreach ((TreeNode root, Fingerprint print) in Nodes.RootsOf(worker).Zip(prints ?? []))
                {
                    earlier.Add(sum, root, workerName(worker), print);
                }
            }
        }
    }

    /// <summary>Null if everything is as it was in earlier generations.</summary>
    public Disagreement? FindDisagreement(EarlierRoots? earlier, Func<int, string> normName) =>
        earlier?.Step == Step ? earlier.Find(Nodes, sum => WhatIs(sum, normName), OrderOf) : null;

    private int OrderOf(int sum) => sum < Forward.Length ? sum : NonFiniteSource.FirstOfBackward + sum;

    private string WhatIs(int sum, Func<int, string> normName) => sum < Forward.Length
        ? $"layer {normName(sum)} (batch-norm moments)"
        : $"layer {normName(2 * Forward.Length - 1 - sum)} (batch-norm sums of backward)";
}
