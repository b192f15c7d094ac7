using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Tests.Layers;

/// <summary>One worker with all shards; parameters stay as they are, gradients are kept by name.</summary>
internal sealed class ProbeExchange(ShardPlan plan, BatchNorm[] norms) : StepExchange
{
    public Dictionary<string, float[]> Gradients { get; } = [];

    public override void Pull(Parameter parameter)
    {
    }

    public override void GradientReady(Parameter parameter)
    {
        float[][] roots = [.. Enumerable.Range(0, plan.Roots.Length).Select(root => parameter.GradientRoot(root)[..parameter.Count])];
        Gradients[parameter.Name] = Complete(roots, (left, right) => [.. left.Zip(right, (a, b) => a + b)]);
    }

    public override Moments ReduceMoments(int norm, Moments[] roots) => Complete(roots, Moments.Combine);

    public override void ReportMoments(int norm, Moments[] roots)
    {
    }

    public override BackwardSums ReduceBackwardSums(int norm, BackwardSums[] roots)
    {
        BackwardSums total = Complete(roots, BackwardSums.Combine);
        Gradients[norms[norm].Parameters[0].Name] = Array.ConvertAll(total.DyXhat, value => (float)value);
        Gradients[norms[norm].Parameters[1].Name] = Array.ConvertAll(total.Dy, value => (float)value);
        return total;
    }

    private T Complete<T>(T[] roots, Func<T, T, T> combine)
    {
        var completion = new TreeCompletion<T>(plan.Tree, combine);
        for (int root = 0; root < roots.Length; root++)
        {
            completion.Offer(plan.Roots[root], roots[root]);
        }

        return completion.Result!;
    }
}
