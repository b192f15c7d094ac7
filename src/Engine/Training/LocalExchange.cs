using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Training;

/// <summary>
/// The rest of the job when there is none: one worker that holds all data shards, in this process. The worker's roots are then the
/// sums of the whole batch, and its tensors are the parameters, so nothing is copied. It applies no update: see <see cref="LocalTraining"/>.
/// </summary>
public sealed class LocalExchange : StepExchange
{
    private readonly ModelRunner _runner;
    private readonly Dictionary<Parameter, float[]> _deliveredByBatchNorm = [];
    private readonly Moments[] _moments;
    private long _batches;

    public LocalExchange(ModelRunner runner)
    {
        _runner = runner;
        _moments = new Moments[runner.Model.BatchNorms.Count];
        Statistics = [.. runner.Model.BatchNorms.Select(norm => BatchNormState.Initial(norm.Name, norm.Output.C))];
        foreach (Parameter parameter in runner.Model.Parameters.Where(parameter => parameter.DeliveredByBatchNorm))
        {
            _deliveredByBatchNorm[parameter] = new float[parameter.BlockCount * Parameter.BlockSize];
        }
    }

    /// <summary>
    /// Running statistics in the order of <see cref="Model.BatchNorms"/>; the elements may be replaced, and
    /// <see cref="UpdateStatistics"/> changes their arrays.
    /// </summary>
    public BatchNormState[] Statistics { get; }

    /// <summary>The tensor in logical order; the caller may change it between steps.</summary>
    public Span<float> Values(Parameter parameter) => parameter.Values.AsSpan(0, parameter.Count);

    /// <summary>The gradient of the last step, summed over all shards, in logical order.</summary>
    public ReadOnlySpan<float> Gradient(Parameter parameter) => GradientBlocks(parameter).AsSpan(0, parameter.Count);

    /// <summary>Moments of the last batch, of the i-th batch norm.</summary>
    public Moments BatchMoments(int norm) => _moments[norm];

    public void Initialize(ulong seed, InitializationKind kind = InitializationKind.He)
    {
        foreach (Parameter parameter in _runner.Model.Parameters)
        {
            Initialization.Fill(parameter, seed, kind, parameter.Values);
        }
    }

    /// <summary>Forward, loss and backward for a whole batch: the plan must hold all shards.</summary>
    public Metrics TrainStep(ShardPlan plan, long step, ulong seed, int[] labels, int[] sampleIndices)
    {
        if (plan.FirstShard != 0 || plan.EndShard != plan.Tree.Shards || plan.Samples == 0)
        {
            throw new ArgumentException(
                $"The plan has shards {plan.FirstShard} to {plan.EndShard - 1} of {plan.Tree.Shards} and {plan.Samples} samples; " +
                "a worker by itself needs all shards and at least one sample.",
                nameof(plan));
        }

        return _runner.TrainStep(plan, this, step, seed, labels, sampleIndices)[0];
    }

    /// <summary>Moves the running statistics by the last batch.</summary>
    public void UpdateStatistics(RunningAverage average = RunningAverage.Exponential)
    {
        for (int norm = 0; norm < Statistics.Length; norm++)
        {
            BatchNormStatistics.UpdateInPlace(Statistics[norm], _moments[norm], average, _batches);
        }

        _batches++;
    }

    /// <summary>Makes the runner ready for <see cref="ModelRunner.Predict"/> with the values and statistics held here.</summary>
    public void PrepareEvaluation() => _runner.PrepareEvaluation(Statistics);

    public override void Pull(Parameter parameter)
    {
    }

    public override void GradientReady(Parameter parameter)
    {
    }

    public override Moments ReduceMoments(int norm, Moments[] roots) => _moments[norm] = roots[0];

    public override void ReportMoments(int norm, Moments[] roots) => _moments[norm] = roots[0];

    public override BackwardSums ReduceBackwardSums(int norm, BackwardSums[] roots)
    {
        ReportBackwardSums(norm, roots);
        return roots[0];
    }

    public override void ReportBackwardSums(int norm, BackwardSums[] roots)
    {
        IReadOnlyList<Parameter> parameters = _runner.Model.BatchNorms[norm].Parameters;
        Round(roots[0].DyXhat, _deliveredByBatchNorm[parameters[0]]);
        Round(roots[0].Dy, _deliveredByBatchNorm[parameters[1]]);
    }

    /// <summary>The gradient of the last step, zero-padded to whole blocks.</summary>
    internal float[] GradientBlocks(Parameter parameter) =>
        parameter.DeliveredByBatchNorm ? _deliveredByBatchNorm[parameter] : parameter.GradientRoot(0);

    private static void Round(double[] sums, float[] gradient)
    {
        for (int c = 0; c < sums.Length; c++)
        {
            gradient[c] = (float)sums[c];
        }
    }
}
