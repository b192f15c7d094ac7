using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Training;

/// <summary>What one thread needs to evaluate by itself: the model's layers once more, with the model's weights and buffers for a few samples.</summary>
internal sealed class EvaluationLane : IDisposable
{
    private readonly IReadOnlyList<EvaluationStage> _stages;
    private readonly LayerSequence _layers;
    private readonly EvaluationBuffers _buffers;
    private readonly StepContext _step;
    private readonly Activation[] _inputs;

    /// <param name="alone">A team of one.</param>
    public EvaluationLane(Model model, IReadOnlyList<EvaluationStage> stages, ThreadTeam alone, KernelSet kernels)
    {
        _stages = stages;
        _layers = new ModelBuilder(model.BatchNormMode).Build(model.Spec.Layers, "", model.Spec.Input);
        _buffers = new EvaluationBuffers(stages.Max(stage => stage.LongestOutput(_layers.Layers)));
        _step = new StepContext(alone, kernels) { Buffers = _buffers };
        _inputs = [.. stages.Select(stage => Activation.View(_layers.Layers[stage.First].Input, Math.Max(1, stage.Chunk)))];
    }

    /// <param name="step">Of the network; its team packs what is not packed yet.</param>
    public void Share(Model model, StepContext step)
    {
        foreach (EvaluationStage stage in _stages.Where(stage => stage.IsDepthFirst))
        {
            for (int i = stage.First; i < stage.End; i++)
            {
                foreach ((Layer loaded, Layer own) in model.Sequence.Layers[i].Walk().Zip(_layers.Layers[i].Walk()))
                {
                    own.Share(loaded, step);
                }
            }
        }
    }

    /// <summary>Takes samples first … first + samples − 1 of <paramref name="x"/> through a stage to the same places of <paramref name="y"/>.</summary>
    public void Run(int stage, Activation x, Activation y, int first, int samples)
    {
        Activation input = _inputs[stage];
        input.Show(x, first);
        _buffers.Clear();
        _step.Samples = samples;
        Activation output = _layers.Forward(input, _step, _stages[stage].First, _stages[stage].End);
        for (int n = 0; n < samples; n++)
        {
            output.SampleSpan(n).CopyTo(y.SampleSpan(first + n));
        }
    }

    public void Dispose()
    {
        foreach (Layer layer in _layers.Walk())
        {
            layer.Dispose();
        }

        _buffers.Dispose();
        foreach (Activation input in _inputs)
        {
            input.Dispose();
        }
    }
}
