using ConvNet.Engine.Layers;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Training;

/// <summary>
/// Training by one worker that holds all data shards, without a cluster: forward, loss, backward, update and running statistics of
/// a whole step, with the bits of a job with the same batches. After a first step of each batch size, a step allocates no managed
/// memory. The learning rate is constant, nothing is clipped and no step is skipped.
/// </summary>
public sealed class LocalTraining
{
    /// <summary>Floats of one tensor that a thread updates at a time: enough to hide the cost of picking them up.</summary>
    private const int RangeLength = 16 * Parameter.BlockSize;

    private readonly ModelRunner _runner;
    private readonly OptimizerSpec _optimizer;
    private readonly ulong _seed;
    private readonly int _dataShards;
    private readonly RunningAverage _average;
    private readonly Dictionary<Parameter, float[][]> _slots;
    private readonly (Parameter Tensor, int Offset, int Length)[] _ranges;
    private readonly Action<int, int> _updateRange;
    private readonly KeptParameters? _kept;
    private readonly Dictionary<int, ShardPlan> _plans = [];
    private int _firstRange;
    private StepSettings _settings = new(0, 1, 1, 1, []);

    /// <param name="runner">Its parameters get their first values from <paramref name="seed"/>.</param>
    /// <param name="dataShards">S: the data shards of every batch.</param>
    /// <param name="keepsParameters">
    /// They stay on the runner's device from the first step on, until another training begins with the runner: what the caller sets then has no effect,
    /// values are what <see cref="ReadParameters"/> has brought last, and gradients stay there.
    /// </param>
    /// <exception cref="ArgumentException">The optimizer needs weight norms, which a job's coordinator computes.</exception>
    public LocalTraining(
        ModelRunner runner,
        OptimizerSpec optimizer,
        ulong seed,
        int dataShards = 4,
        InitializationKind initialization = InitializationKind.He,
        RunningAverage average = RunningAverage.Exponential,
        bool keepsParameters = false)
    {
        if (optimizer.NeedsWeightNorms)
        {
            throw new ArgumentException($"{optimizer.GetType().Name} needs the norms of all weights, which only a job computes.", nameof(optimizer));
        }

        optimizer.Validate();
        (_runner, _optimizer, _seed, _dataShards, _average) = (runner, optimizer, seed, dataShards, average);
        Exchange = new LocalExchange(runner);
        Exchange.Initialize(seed, initialization);
        _kept = runner.KeepParameters(keepsParameters ? optimizer : null);
        _slots = _kept is null ? runner.Model.Parameters.ToDictionary(tensor => tensor, tensor => SlotsOf(tensor, optimizer)) : [];
        _ranges = [.. runner.Model.Parameters.SelectMany(RangesOf)];
        _updateRange = UpdateRange;
    }

    /// <summary>The parameters' values, which the caller may set before a step, their gradients, and the running statistics.</summary>
    public LocalExchange Exchange { get; }

    /// <summary>Steps that have been applied.</summary>
    public long Steps { get; private set; }

    /// <summary>One whole step on the samples in <see cref="ModelRunner.Input"/>.</summary>
    /// <param name="labels">Class of each sample; their number is the batch size.</param>
    /// <param name="sampleIndices">Index in the data set of each sample; keys dropout.</param>
    public Metrics Step(int[] labels, int[] sampleIndices)
    {
        if (!_plans.TryGetValue(labels.Length, out ShardPlan? plan))
        {
            plan = new ShardPlan(new ShardTree(labels.Length, _dataShards), 0, _dataShards);
            _plans.Add(labels.Length, plan);
        }

        if (Steps == 0)
        {
            _kept?.Load();
        }

        Metrics metrics = Exchange.TrainStep(plan, Steps, _seed, labels, sampleIndices);
        Update();
        _runner.Profile?.Begin(_runner.Model.Layers.Count, StepPhase.Update);
        Exchange.UpdateStatistics(_average);
        _runner.Profile?.End();
        Steps++;
        return metrics;
    }

    /// <summary>Brings the parameters' values from the device that keeps them, if one does.</summary>
    public void ReadParameters() => _kept?.Read();

    /// <summary>Only the update, from the last gradients: what a step does to the parameters after backward.</summary>
    public void Update()
    {
        (double first, double secondRoot) = _optimizer.BiasCorrections(Steps + 1);
        _settings = new StepSettings(_optimizer.LearningRate, 1, first, secondRoot, []);
        if (_kept is not null)
        {
            _runner.Profile?.Begin(_runner.Model.Layers.Count, StepPhase.Update);
            _kept.Update(_settings);
            _runner.Profile?.End();
            return;
        }

        if (_runner.Profile is null)
        {
            _firstRange = 0;
            _runner.Team.Run(_ranges.Length, _updateRange);
            return;
        }

        // A profile tells layers apart, so they are updated one after the other; the update is elementwise and the bits are the same.
        for (_firstRange = 0; _firstRange < _ranges.Length;)
        {
            int layer = _ranges[_firstRange].Tensor.Layer;
            int count = _ranges.Skip(_firstRange).TakeWhile(range => range.Tensor.Layer == layer).Count();
            _runner.Profile.Begin(layer, StepPhase.Update);
            _runner.Team.Run(count, _updateRange);
            _runner.Profile.End();
            _firstRange += count;
        }
    }

    private static float[][] SlotsOf(Parameter tensor, OptimizerSpec optimizer) =>
        [.. optimizer.SlotNames.Select(_ => new float[tensor.BlockCount * Parameter.BlockSize])];

    private static IEnumerable<(Parameter Tensor, int Offset, int Length)> RangesOf(Parameter tensor)
    {
        int end = tensor.BlockCount * Parameter.BlockSize;
        for (int offset = 0; offset < end; offset += RangeLength)
        {
            yield return (tensor, offset, Math.Min(RangeLength, end - offset));
        }
    }

    private void UpdateRange(int range, int thread)
    {
        (Parameter tensor, int offset, int length) = _ranges[_firstRange + range];
        float[][] slots = _slots[tensor];
        Span<float> values = tensor.Values.AsSpan(offset, length);
        _optimizer.Apply(
            _settings,
            1,
            values,
            Exchange.GradientBlocks(tensor).AsSpan(offset, length),
            slots.Length > 0 ? slots[0].AsSpan(offset, length) : [],
            slots.Length > 1 ? slots[1].AsSpan(offset, length) : [],
            values);
    }
}
