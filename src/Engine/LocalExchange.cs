using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine;

/// <summary>
/// The rest of the job when there is none: one worker that holds all data shards, in this process. Completes the trees, holds the
/// parameters and the running statistics, and shows the summed gradients. It applies no update: that is up to the caller.
/// </summary>
public sealed class LocalExchange : StepExchange
{
    private readonly Dictionary<Parameter, float[]> _values = [];
    private readonly Dictionary<Parameter, float[]> _gradients = [];
    private readonly Network _network;
    private readonly Moments[] _moments;
    private readonly BatchNormState[] _statistics;
    private ShardPlan? _plan;
    private long _batches;

    public LocalExchange(Network network)
    {
        _network = network;
        _moments = new Moments[network.BatchNorms.Count];
        _statistics = [.. network.BatchNorms.Select(norm => BatchNormState.Initial(norm.Name, norm.Output.C))];
        foreach (Parameter parameter in network.Parameters)
        {
            _values[parameter] = new float[parameter.Count];
            _gradients[parameter] = new float[parameter.Count];
        }
    }

    /// <summary>Running statistics in the order of <see cref="Network.BatchNorms"/>; the elements may be replaced.</summary>
    public BatchNormState[] Statistics => _statistics;

    /// <summary>The tensor as the next <see cref="Pull"/> delivers it, in logical order; the caller may change it.</summary>
    public float[] Values(Parameter parameter) => _values[parameter];

    /// <summary>The gradient of the last step, summed over all shards.</summary>
    public float[] Gradient(Parameter parameter) => _gradients[parameter];

    /// <summary>Moments of the last batch, of the i-th batch norm.</summary>
    public Moments BatchMoments(int norm) => _moments[norm];

    public void Initialize(ulong seed, InitializationKind kind = InitializationKind.He)
    {
        foreach ((Parameter parameter, float[] values) in _values)
        {
            Initialization.Fill(parameter, seed, kind, values);
        }
    }

    /// <summary>Forward, loss and backward for a whole batch: the plan must hold all shards.</summary>
    public Metrics TrainStep(ShardPlan plan, long step, ulong seed, int[] labels, int[] sampleIndices)
    {
        if (plan.Samples != plan.Tree.Batch)
        {
            throw new ArgumentException($"The plan has {plan.Samples} of the batch's {plan.Tree.Batch} samples.", nameof(plan));
        }

        _plan = plan;
        return Complete(_network.TrainStep(plan, this, step, seed, labels, sampleIndices), Metrics.Combine);
    }

    /// <summary>Moves the running statistics by the last batch.</summary>
    public void UpdateStatistics(RunningAverage average = RunningAverage.Exponential)
    {
        for (int norm = 0; norm < _statistics.Length; norm++)
        {
            _statistics[norm] = BatchNormStatistics.Update(_statistics[norm], _moments[norm], average, _batches);
        }

        _batches++;
    }

    /// <summary>Makes the network ready for <see cref="Network.Predict"/> with the values and statistics held here.</summary>
    public void PrepareEvaluation()
    {
        foreach (Parameter parameter in _network.Parameters)
        {
            Pull(parameter);
        }

        _network.PrepareEvaluation(_statistics);
    }

    public override void Pull(Parameter parameter) => _values[parameter].CopyTo(parameter.Values, 0);

    public override void GradientReady(Parameter parameter)
    {
        var roots = new float[_plan!.Roots.Length][];
        for (int root = 0; root < roots.Length; root++)
        {
            roots[root] = parameter.GradientRoot(root).AsSpan(0, parameter.Count).ToArray();
        }

        _gradients[parameter] = Complete(roots, (left, right) =>
        {
            GradientTree.Add(left, right);
            return left;
        });
    }

    public override Moments ReduceMoments(int norm, Moments[] roots) => _moments[norm] = Complete(roots, Moments.Combine);

    public override void ReportMoments(int norm, Moments[] roots) => _moments[norm] = Complete(roots, Moments.Combine);

    public override BackwardSums ReduceBackwardSums(int norm, BackwardSums[] roots)
    {
        BackwardSums total = Complete(roots, BackwardSums.Combine);
        IReadOnlyList<Parameter> parameters = _network.BatchNorms[norm].Parameters;
        _gradients[parameters[0]] = Array.ConvertAll(total.DyXhat, value => (float)value);
        _gradients[parameters[1]] = Array.ConvertAll(total.Dy, value => (float)value);
        return total;
    }

    private T Complete<T>(T[] roots, Func<T, T, T> combine)
    {
        var completion = new TreeCompletion<T>(_plan!.Tree, combine);
        for (int root = 0; root < roots.Length; root++)
        {
            completion.Offer(_plan.Roots[root], roots[root]);
        }

        return completion.Result!;
    }
}
