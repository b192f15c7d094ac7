using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Training;

/// <summary>
/// Runs a model on the processor: forward, loss, backward on the samples of one worker, on the threads of a team. It owns the memory
/// that comes with it: the input, the loss and the buffers of the model's layers. Not thread-safe; the caller is its main compute thread.
/// </summary>
public sealed class Network : ModelRunner
{
    private readonly SoftmaxCrossEntropy _loss;
    private readonly StepContext _step;
    private readonly DepthFirst _evaluation;

    /// <param name="model">What to run; no other network may run it.</param>
    /// <param name="team">Compute threads; not owned.</param>
    public Network(Model model, ThreadTeam team, KernelSet kernels = KernelSet.Fast)
        : base(model, team)
    {
        _loss = new SoftmaxCrossEntropy(model.Classes);
        _step = new StepContext(team, kernels);
        _evaluation = new DepthFirst(model, _step);
    }

    public override StepProfile? Profile
    {
        get => _step.Profile;
        set => _step.Profile = value;
    }

    public override Metrics[] TrainStep(ShardPlan plan, StepExchange exchange, long step, ulong seed, int[] labels, int[] sampleIndices)
    {
        _step.Training = true;
        _step.Plan = plan;
        _step.Exchange = exchange;
        _step.Samples = plan.Samples;
        _step.Step = step;
        _step.Seed = seed;
        _step.SampleIndices = sampleIndices;
        if (!BeginStep(plan, exchange))
        {
            return [];
        }

        Activation logits = Model.Sequence.Forward(Input(plan.Samples), _step);
        _step.Profile?.Begin(Model.Layers.Count, StepPhase.Forward);
        Metrics[] metrics = _loss.Forward(logits, labels, plan);
        _step.Profile?.End();
        Model.Sequence.Backward(_loss.Backward(), _step, needsInputGradient: false);
        return metrics;
    }

    public override void PrepareEvaluation(IReadOnlyList<BatchNormState> statistics)
    {
        _step.Training = false;
        LoadStatistics(statistics);

        foreach (Layer layer in Model.Layers)
        {
            layer.Load(_step);
        }

        _evaluation.Share();
    }

    public override Activation Predict(int samples)
    {
        _step.Training = false;
        _step.Samples = samples;
        return _evaluation.Forward(Input(samples), samples);
    }

    public override Metrics Evaluate(int samples, int[] labels)
    {
        Activation logits = Predict(samples);
        return _loss.Evaluate(logits, labels, samples);
    }

    public override void Dispose()
    {
        base.Dispose();
        _loss.Dispose();
        _evaluation.Dispose();
        foreach (Layer layer in Model.Layers)
        {
            layer.Dispose();
        }
    }
}
