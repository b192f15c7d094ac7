using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Tests.Layers;

/// <summary>
/// Takes the place of the parameter servers in one process: completes the trees of any number of workers, each on a thread of its own
/// unless it is the only one, step after step.
/// </summary>
/// <param name="pull">Fills a parameter's values before its layer runs.</param>
internal sealed class LocalHub(ShardTree tree, Action<Parameter> pull)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, object> _open = [];
    private readonly SortedDictionary<string, float[]> _gradients = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, Moments> _moments = [];

    /// <summary>Of the last step, by name of the parameter, in logical order; those that a batch norm delivers included.</summary>
    public IReadOnlyDictionary<string, float[]> Gradients => _gradients;

    /// <summary>Of the whole batch of the last step, by index of the batch norm.</summary>
    public IReadOnlyDictionary<int, Moments> BatchMoments => _moments;

    /// <summary>True if no sum waits for a part of it.</summary>
    public bool IsIdle => _open.Count == 0;

    /// <param name="norms">The worker's batch norms in forward order.</param>
    public StepExchange Worker(ShardPlan plan, IReadOnlyList<BatchNorm> norms) => new Exchange(this, plan, norms);

    /// <summary>Adds a worker's roots to a tree, and hands the sum over when it is complete.</summary>
    public void Offer<T>(string name, ShardPlan plan, T[] roots, Func<T, T, T> combine, Action<T> complete)
    {
        lock (_open)
        {
            Add(name, plan, roots, combine, complete);
        }
    }

    private void Fill(Parameter parameter) => pull(parameter);

    /// <summary>The same, and waits for the other workers' roots.</summary>
    private T Reduce<T>(string name, ShardPlan plan, T[] roots, Func<T, T, T> combine, Action<T> complete)
    {
        lock (_open)
        {
            TreeCompletion<T> sum = Add(name, plan, roots, combine, complete);
            while (!sum.IsComplete)
            {
                if (!Monitor.Wait(_open, Patience))
                {
                    throw new TimeoutException($"'{name}' is still incomplete after {Patience.TotalSeconds} s.");
                }
            }

            return sum.Result!;
        }
    }

    private TreeCompletion<T> Add<T>(string name, ShardPlan plan, T[] roots, Func<T, T, T> combine, Action<T> complete)
    {
        if (!_open.TryGetValue(name, out object? found))
        {
            _open.Add(name, found = new TreeCompletion<T>(tree, combine));
        }

        var sum = (TreeCompletion<T>)found;
        for (int root = 0; root < roots.Length; root++)
        {
            sum.Offer(plan.Roots[root], roots[root]);
        }

        if (sum.IsComplete)
        {
            _open.Remove(name);
            complete(sum.Result!);
            Monitor.PulseAll(_open);
        }

        return sum;
    }

    private sealed class Exchange(LocalHub hub, ShardPlan plan, IReadOnlyList<BatchNorm> norms) : StepExchange
    {
        public override void Pull(Parameter parameter) => hub.Fill(parameter);

        public override void GradientReady(Parameter parameter)
        {
            float[][] roots = [.. Enumerable.Range(0, plan.Roots.Length).Select(root => parameter.GradientRoot(root)[..parameter.Count])];
            hub.Offer(parameter.Name, plan, roots, (left, right) => [.. left.Zip(right, (a, b) => a + b)], sum => hub._gradients[parameter.Name] = sum);
        }

        public override Moments ReduceMoments(int norm, Moments[] roots) =>
            hub.Reduce($"moments {norm}", plan, roots, Moments.Combine, sum => hub._moments[norm] = sum);

        public override void ReportMoments(int norm, Moments[] roots) =>
            hub.Offer($"moments {norm}", plan, roots, Moments.Combine, sum => hub._moments[norm] = sum);

        public override BackwardSums ReduceBackwardSums(int norm, BackwardSums[] roots) =>
            hub.Reduce($"backward {norm}", plan, roots, BackwardSums.Combine, sum => Deliver(norm, sum));

        public override void ReportBackwardSums(int norm, BackwardSums[] roots) =>
            hub.Offer($"backward {norm}", plan, roots, BackwardSums.Combine, sum => Deliver(norm, sum));

        private void Deliver(int norm, BackwardSums sum)
        {
            IReadOnlyList<Parameter> parameters = norms[norm].Parameters;
            hub._gradients[parameters[0].Name] = Array.ConvertAll(sum.DyXhat, value => (float)value);
            hub._gradients[parameters[1].Name] = Array.ConvertAll(sum.Dy, value => (float)value);
        }
    }
}
