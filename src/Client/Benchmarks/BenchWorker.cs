using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Training;
using ConvNet.Grains.Checkpoints;

namespace ConvNet.Client.Benchmarks;

/// <summary>One worker that holds all data shards, with a batch that it sees again and again. It starts with random weights.</summary>
internal sealed class BenchWorker : IDisposable
{
    private const int DataShards = 4;

    private readonly ModelRunner _runner;
    private readonly BenchBatch _batch;
    private readonly LocalTraining _training;
    private readonly int[] _samples;
    private int[] _labels;
    private int[] _nextLabels;
    private Task? _next;

    public BenchWorker(ModelRunner runner, BenchBatch batch)
    {
        _runner = runner;
        _batch = batch;
        var optimizer = new Sgd { LearningRate = 0.01, Momentum = 0.9, Nesterov = true, WeightDecay = 5e-4 };
        _training = new LocalTraining(runner, optimizer, seed: 1, DataShards, keepsParameters: true);
        _samples = [.. Enumerable.Range(0, batch.Count)];
        (_labels, _nextLabels) = (new int[batch.Count], new int[batch.Count]);
    }

    /// <summary>Takes over weights and running statistics, as a checkpoint's model.safetensors has them.</summary>
    /// <exception cref="ConvNetException">The tensors are not the model's (exit code 3).</exception>
    public void Load(string path)
    {
        BatchNormState[] statistics = CheckpointWeights.Load(_runner.Model, SafetensorsFile.Read(path).Tensors, path);
        statistics.CopyTo(_training.Exchange.Statistics, 0);
    }

    /// <summary>Input, forward, loss, backward, update and running statistics.</summary>
    /// <returns>The mean loss of the batch, before the update.</returns>
    public double Train()
    {
        FillInput();
        Metrics metrics = _training.Step(_labels, _samples);
        return metrics.LossSum / metrics.Count;
    }

    /// <summary>Takes over the present weights, with batch norm folded.</summary>
    public void PrepareEvaluation()
    {
        _training.ReadParameters();
        _training.Exchange.PrepareEvaluation();
    }

    public void Evaluate()
    {
        FillInput();
        _runner.Evaluate(_labels.Length, _labels);
    }

    /// <summary>Waits for what is prepared beside the last step; call it before the runner ends.</summary>
    public void Dispose() => _next?.Wait();

    /// <summary>As workers of a job do: while another device computes, the processor fills the input of its next step.</summary>
    private void FillInput()
    {
        _runner.Profile?.Begin(_runner.Model.Layers.Count, StepPhase.Load);
        if (_next is null)
        {
            _batch.Fill(_runner.Input(_labels.Length), _labels);
        }
        else
        {
            _next.Wait();
            _runner.AdvanceInput();
            (_labels, _nextLabels) = (_nextLabels, _labels);
        }

        if (_runner.PreparesAhead)
        {
            int[] labels = _nextLabels;
            _next = Task.Run(() => _batch.Fill(_runner.NextInput(labels.Length), labels));
        }

        _runner.Profile?.End();
    }
}
