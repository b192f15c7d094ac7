using System.Diagnostics;
using ConvNet.Engine.Optimizers;

namespace ConvNet.Engine.Bench;

/// <summary>Whole training steps of one worker on random input: forward, loss, backward and update, four data shards.</summary>
internal sealed class TrainingStep : IDisposable
{
    private readonly ThreadTeam _team;
    private readonly Network _network;
    private readonly LocalTraining _training;
    private readonly int[] _labels;
    private readonly int[] _indices;

    public TrainingStep(string model, int threads, int batch)
    {
        ModelSpec spec = ModelPresets.Find(model) ?? throw new ArgumentException($"no preset '{model}'", nameof(model));
        _team = new ThreadTeam(threads);
        _network = new Network(spec, team: _team);
        _training = new LocalTraining(_network, new Sgd { Momentum = 0.9, WeightDecay = 5e-4 }, seed: 1);
        _labels = [.. Enumerable.Range(0, batch).Select(n => n % 10)];
        _indices = [.. Enumerable.Range(0, batch)];
        FillInput(spec.Input, batch);
    }

    public int Batch => _labels.Length;

    public static void Print(string model, int threads, int steps, int batch)
    {
        using var step = new TrainingStep(model, threads, batch);
        double train = Median(steps, step.Train);
        long allocated = GC.GetTotalAllocatedBytes(true);
        step.Train();
        allocated = GC.GetTotalAllocatedBytes(true) - allocated;
        step._training.Exchange.PrepareEvaluation();
        double evaluate = Median(steps, () => step._network.Evaluate(batch, step._labels));
        Console.WriteLine(FormattableString.Invariant(
            $"{model} threads={threads} batch={batch} train images/s {batch / train:F1} eval images/s {batch / evaluate:F1} allocated/step {allocated} bytes"));
    }

    public void Train() => _training.Step(_labels, _indices);

    public void Dispose()
    {
        _network.Dispose();
        _team.Dispose();
    }

    private static double Median(int steps, Action action)
    {
        action();
        action();
        var seconds = new double[steps];
        for (int i = 0; i < steps; i++)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(seconds);
        return seconds[steps / 2];
    }

    private void FillInput(Shape shape, int batch)
    {
        Activation input = _network.Input(batch);
        var random = new Random(1);
        for (int n = 0; n < batch; n++)
        {
            for (int i = 0; i < shape.Count; i++)
            {
                input[n, i / shape.Area, i % shape.Area / shape.W, i % shape.W] = (float)(random.NextDouble() * 4 - 2);
            }
        }
    }
}
