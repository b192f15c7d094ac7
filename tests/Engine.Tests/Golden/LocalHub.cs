using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>
/// Takes the place of the parameter server for one step in one process: serves parameters from a function and completes the
/// trees of any number of workers, each on a thread of its own.
/// </summary>
internal sealed class LocalHub(ShardTree tree, Func<Parameter, float[]> values)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, object> _trees = [];

    public ShardTree Tree => tree;

    public Moments Moments(int norm) => ((TreeCompletion<Moments>)_trees[$"moments {norm}"]).Result!;

    public BackwardSums BackwardSums(int norm) => ((TreeCompletion<BackwardSums>)_trees[$"backward {norm}"]).Result!;

    public StepExchange Worker(ShardPlan plan) => new Exchange(this, plan, values);

    /// <summary>The sum of a tensor's gradient over the workers' roots, in the tree's order.</summary>
    public float[] Gradient(IEnumerable<(ShardPlan Plan, Parameter Parameter)> workers)
    {
        var completion = new TreeCompletion<float[]>(tree, (left, right) => [.. left.Zip(right, (a, b) => a + b)]);
        int count = 0;
        foreach ((ShardPlan plan, Parameter parameter) in workers)
        {
            count = parameter.Count;
            for (int root = 0; root < plan.Roots.Length; root++)
            {
                completion.Offer(plan.Roots[root], [.. parameter.GradientRoot(root)]);
            }
        }

        return completion.Result![..count];
    }

    private T Complete<T>(string key, ShardPlan plan, T[] roots, Func<T, T, T> combine)
    {
        lock (_trees)
        {
            if (!_trees.TryGetValue(key, out object? found))
            {
                _trees.Add(key, found = new TreeCompletion<T>(tree, combine));
            }

            var completion = (TreeCompletion<T>)found;
            for (int root = 0; root < roots.Length; root++)
            {
                completion.Offer(plan.Roots[root], roots[root]);
            }

            Monitor.PulseAll(_trees);
            while (!completion.IsComplete)
            {
                if (!Monitor.Wait(_trees, Patience))
                {
                    throw new TimeoutException($"'{key}' is still incomplete after {Patience.TotalSeconds} s.");
                }
            }

            return completion.Result!;
        }
    }

    private sealed class Exchange(LocalHub hub, ShardPlan plan, Func<Parameter, float[]> values) : StepExchange
    {
        public override void Pull(Parameter parameter) => values(parameter).CopyTo(parameter.Values, 0);

        public override void GradientReady(Parameter parameter)
        {
        }

        public override Moments ReduceMoments(int norm, Moments[] roots) =>
            hub.Complete($"moments {norm}", plan, roots, Reduction.Moments.Combine);

        public override BackwardSums ReduceBackwardSums(int norm, BackwardSums[] roots) =>
            hub.Complete($"backward {norm}", plan, roots, Reduction.BackwardSums.Combine);

        public override void ReportMoments(int norm, Moments[] roots) =>
            throw new NotSupportedException("The golden tests synchronize batch norm.");
    }
}
