using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Training;

/// <summary>
/// Evaluation of a model: each thread carries a few samples at a time through a stage of layers, so that what one layer writes is still in
/// the thread's cache when the next one reads it, and no thread waits for another between two layers. Where filters are so large that
/// reading them again for a few samples costs more than that saves, the layers take the whole batch one after the other, on all threads.
/// A sample's result is the same either way.
/// </summary>
internal sealed class DepthFirst : IDisposable
{
    private readonly Model _model;
    private readonly StepContext _step;
    private readonly IReadOnlyList<EvaluationStage> _stages;
    private readonly ThreadTeam _alone = new(1);
    private readonly Activation?[] _outputs;
    private readonly Action<int, int> _item;
    private EvaluationLane[] _lanes = [];

    // The stage in progress.
    private int _stage;
    private int _chunk;
    private int _samples;
    private Activation _x = null!;
    private Activation _y = null!;

    /// <param name="step">Of the network: its team shares the samples.</param>
    public DepthFirst(Model model, StepContext step)
    {
        (_model, _step) = (model, step);
        _stages = step.Kernels == KernelSet.Fast
            ? EvaluationStage.Of(model.Sequence.Layers)
            : [new EvaluationStage(0, model.Sequence.Layers.Count, 0)];
        _outputs = new Activation?[_stages.Count];
        _item = RunChunk;
    }

    /// <summary>Lets all threads have what the model's layers have loaded for evaluation.</summary>
    public void Share()
    {
        if (_lanes.Length == 0)
        {
            _lanes = [.. Enumerable.Range(0, _step.Team.Size).Select(_ => new EvaluationLane(_model, _stages, _alone, _step.Kernels))];
        }

        foreach (EvaluationLane lane in _lanes)
        {
            lane.Share(_model, _step);
        }
    }

    /// <summary>The model's output for the first samples of <paramref name="x"/>; valid until the next call.</summary>
    public Activation Forward(Activation x, int samples)
    {
        _samples = samples;
        for (_stage = 0; _stage < _stages.Count; _stage++)
        {
            EvaluationStage stage = _stages[_stage];
            x = stage.IsDepthFirst ? RunStage(stage, x) : _model.Sequence.Forward(x, _step, stage.First, stage.End);
        }

        return x;
    }

    public void Dispose()
    {
        foreach (EvaluationLane lane in _lanes)
        {
            lane.Dispose();
        }

        foreach (Activation? output in _outputs)
        {
            output?.Dispose();
        }
    }

    private Activation RunStage(EvaluationStage stage, Activation x)
    {
        Activation? y = _outputs[_stage];
        if (y is null || y.Capacity < x.Capacity)
        {
            y?.Dispose();
            y = _outputs[_stage] = new Activation(_model.Sequence.Layers[stage.End - 1].Output, x.Capacity);
        }

        (_x, _y) = (x, y);
        int threads = _step.Team.Size;
        _chunk = Math.Min(stage.Chunk, Math.Max(1, (_samples + threads - 1) / threads));
        _step.Team.Run((_samples + _chunk - 1) / _chunk, _item);
        return y;
    }

    private void RunChunk(int item, int thread)
    {
        int first = item * _chunk;
        _lanes[thread].Run(_stage, _x, _y, first, Math.Min(_chunk, _samples - first));
    }
}
