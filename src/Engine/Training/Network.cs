using ConvNet.Engine.Errors;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Training;

/// <summary>A model that runs: forward, loss, backward on the samples of one worker. Not thread-safe; the caller is its main compute thread.</summary>
public sealed class Network : IDisposable
{
    private readonly LayerSequence _layers;
    private readonly SoftmaxCrossEntropy _loss;
    private readonly StepContext _step;
    private Activation? _input;

    /// <param name="team">Compute threads; not owned. Null for a network that only describes the model.</param>
    public Network(ModelSpec spec, BatchNormMode batchNormMode = BatchNormMode.Sync, ThreadTeam? team = null, KernelSet kernels = KernelSet.Fast)
    {
        Spec = spec;
        _layers = new ModelBuilder(batchNormMode).Build(spec.Layers, "", spec.Input);
        if (_layers.Output.Area != 1)
        {
            throw ConvNetException.BadInput(
                $"model '{spec.Name}' ends with {_layers.Output}, but a classifier ends with one value per class (Cx1x1); " +
                "end the model with {\"type\":\"flatten\"} and a \"fullyConnected\" layer.");
        }

        Layers = [.. _layers.Walk()];
        Parameters = [.. Layers.SelectMany(layer => layer.Parameters)];
        BatchNorms = [.. Layers.OfType<BatchNorm>()];
        Layout = new ParameterLayout(Parameters);
        _loss = new SoftmaxCrossEntropy(_layers.Output.C);
        _step = new StepContext(team!, kernels);
    }

    public ModelSpec Spec { get; }

    /// <summary>All layers depth first, children after their parent.</summary>
    public IReadOnlyList<Layer> Layers { get; }

    /// <summary>All trainable tensors in forward order; the order of <see cref="ParameterLayout.Tensors"/>.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>In forward order: the index is the <c>norm</c> of <see cref="StepExchange"/>.</summary>
    public IReadOnlyList<BatchNorm> BatchNorms { get; }

    public ParameterLayout Layout { get; }

    public int Classes => _layers.Output.C;

    /// <summary>Told where the time of a pass goes, if not null.</summary>
    public StepProfile? Profile
    {
        get => _step.Profile;
        set => _step.Profile = value;
    }

    /// <summary>The compute threads of its layers.</summary>
    internal ThreadTeam Team => _step.Team;

    /// <summary>The input of the next pass, for at least <paramref name="samples"/> samples; the caller fills it.</summary>
    public Activation Input(int samples)
    {
        if (_input is null || _input.Capacity < samples)
        {
            _input?.Dispose();
            _input = new Activation(Spec.Input, samples);
        }

        return _input;
    }

    /// <summary>
    /// Forward, loss and backward for this worker's samples of one step, which are in <see cref="Input"/>. With no samples it
    /// only waits for the version of the parameters, so that workers stay in step.
    /// </summary>
    /// <param name="labels">Class of each sample.</param>
    /// <param name="sampleIndices">Index in the data set of each sample.</param>
    /// <returns>For each root of the plan, the loss and correct answers of its samples; valid until the next step.</returns>
    public Metrics[] TrainStep(ShardPlan plan, StepExchange exchange, long step, ulong seed, int[] labels, int[] sampleIndices)
    {
        _step.Training = true;
        _step.Plan = plan;
        _step.Exchange = exchange;
        _step.Samples = plan.Samples;
        _step.Step = step;
        _step.Seed = seed;
        _step.SampleIndices = sampleIndices;
        if (plan.Samples == 0)
        {
            for (int i = 0; i < Parameters.Count; i++)
            {
                exchange.Pull(Parameters[i]);
            }

            return [];
        }

        for (int i = 0; i < Parameters.Count; i++)
        {
            Parameters[i].ReserveRoots(plan.Roots.Length);
        }

        Activation logits = _layers.Forward(Input(plan.Samples), _step);
        _step.Profile?.Begin(Layers.Count, StepPhase.Forward);
        Metrics[] metrics = _loss.Forward(logits, labels, _step);
        _step.Profile?.End();
        _layers.Backward(_loss.Backward(), _step, needsInputGradient: false);
        return metrics;
    }

    /// <summary>
    /// Takes over the parameters' values and the running statistics for evaluation, folding each batch norm into the convolution
    /// before it. Call it again after a training step.
    /// </summary>
    public void PrepareEvaluation(IReadOnlyList<BatchNormState> statistics)
    {
        _step.Training = false;
        foreach ((BatchNorm norm, BatchNormState state) in BatchNorms.Zip(statistics))
        {
            norm.LoadStatistics(state);
        }

        foreach (Layer layer in Layers)
        {
            layer.Load(_step);
        }
    }

    /// <summary>Logits of the samples in <see cref="Input"/>: (N, classes, 1, 1).</summary>
    public Activation Predict(int samples)
    {
        _step.Training = false;
        _step.Samples = samples;
        return _layers.Forward(Input(samples), _step);
    }

    /// <summary>Loss and correct answers of the samples in <see cref="Input"/>, summed in their order.</summary>
    public Metrics Evaluate(int samples, int[] labels)
    {
        Activation logits = Predict(samples);
        return _loss.Evaluate(logits, labels, samples);
    }

    /// <summary>Frees all native memory; no pass may be running, and none may follow.</summary>
    public void Dispose()
    {
        _input?.Dispose();
        _loss.Dispose();
        foreach (Layer layer in Layers)
        {
            layer.Dispose();
        }
    }
}
