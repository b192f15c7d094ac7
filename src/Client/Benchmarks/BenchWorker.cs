using ConvNet.Engine;
using ConvNet.Engine.Data;
using ConvNet.Engine.Optimizers;

namespace ConvNet.Client.Benchmarks;

/// <summary>One worker that holds all data shards, with a batch of random images that it sees again and again.</summary>
internal sealed class BenchWorker
{
    private const int DataShards = 4;

    private readonly Network _network;
    private readonly LocalTraining _training;
    private readonly BatchFiller _filler;
    private readonly int[] _samples;
    private readonly int[] _labels;

    public BenchWorker(Network network, int batch)
    {
        _network = network;
        var optimizer = new Sgd { LearningRate = 0.01, Momentum = 0.9, Nesterov = true, WeightDecay = 5e-4 };
        _training = new LocalTraining(network, optimizer, seed: 1, DataShards);
        _filler = RandomImages(network, batch);
        _samples = [.. Enumerable.Range(0, batch)];
        _labels = new int[batch];
    }

    /// <summary>Input, forward, loss, backward, update and running statistics.</summary>
    public void Train()
    {
        FillInput();
        _training.Step(_labels, _samples);
    }

    /// <summary>Takes over the present weights, with batch norm folded.</summary>
    public void PrepareEvaluation() => _training.Exchange.PrepareEvaluation();

    public void Evaluate()
    {
        FillInput();
        _network.Evaluate(_labels.Length, _labels);
    }

    private void FillInput()
    {
        _network.Profile?.Begin(_network.Layers.Count, StepPhase.Load);
        _filler.Fill(seed: 1, epoch: 0, _samples, _network.Input(_labels.Length), _labels);
        _network.Profile?.End();
    }

    private static BatchFiller RandomImages(Network network, int count)
    {
        Shape shape = network.Spec.Input;
        var random = new Random(1);
        byte[] pixels = new byte[count * shape.Count];
        random.NextBytes(pixels);
        int[] labels = [.. Enumerable.Range(0, count).Select(_ => random.Next(network.Classes))];
        var images = new ImageSet(shape, pixels, labels, [.. Enumerable.Range(0, network.Classes).Select(label => $"{label}")]);
        double[] half = [.. Enumerable.Repeat(0.5, shape.C)];
        return new BatchFiller(images, InputAdapter.For(shape, half, half, shape), augmentation: null);
    }
}
