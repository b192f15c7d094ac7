using System.Diagnostics;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Bench;

/// <summary>Whole training steps of one worker on random input: forward, loss, backward and update, four data shards.</summary>
internal sealed class TrainingStep : IDisposable
{
    private readonly ThreadTeam _team;
    private readonly Network _network;
    private readonly LocalExchange _exchange;
    private readonly ShardPlan _plan;
    private readonly Sgd _optimizer = new() { Momentum = 0.9, WeightDecay = 5e-4 };
    private readonly StepSettings _settings;
    private readonly Dictionary<Parameter, float[]> _momentum = [];
    private readonly int[] _labels;
    private readonly int[] _indices;
    private long _step;

    public TrainingStep(string model, int threads, int batch)
    {
        ModelSpec spec = ModelPresets.Find(model) ?? throw new ArgumentException($"no preset '{model}'", nameof(model));
        _team = new ThreadTeam(threads);
        _network = new Network(spec, team: _team);
        _exchange = new LocalExchange(_network);
        _exchange.Initialize(1);
        _plan = new ShardPlan(new ShardTree(batch, 4), 0, 4);
        _settings = new StepSettings(0.01, 1, 1, 1, []);
        _labels = [.. Enumerable.Range(0, batch).Select(n => n % 10)];
        _indices = [.. Enumerable.Range(0, batch)];
        FillInput(spec.Input, batch);
        foreach (Parameter parameter in _network.Parameters)
        {
            _momentum[parameter] = new float[parameter.BlockCount * Parameter.BlockSize];
        }
    }

    public int Batch => _labels.Length;

    public static void Print(string model, int threads, int steps, int batch)
    {
        using var step = new TrainingStep(model, threads, batch);
        double train = Median(steps, step.Train);
        long allocated = GC.GetTotalAllocatedBytes();
        step.Train();
        allocated = GC.GetTotalAllocatedBytes() - allocated;
        step._exchange.PrepareEvaluation();
        double evaluate = Median(steps, () => step._network.Evaluate(batch, step._labels));
        Console.WriteLine(FormattableString.Invariant(
            $"{model} threads={threads} batch={batch} train images/s {batch / train:F1} eval images/s {batch / evaluate:F1} allocated/step {allocated >> 10} KiB"));
    }

    public void Train()
    {
        _exchange.TrainStep(_plan, _step++, 1, _labels, _indices);
        _exchange.UpdateStatistics();
        foreach (Parameter parameter in _network.Parameters)
        {
            Update(parameter);
        }
    }

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

    private void Update(Parameter parameter)
    {
        float[] values = _exchange.Values(parameter);
        float[] gradient = _exchange.Gradient(parameter);
        for (int first = 0; first < parameter.Count; first += Parameter.BlockSize)
        {
            var padded = new float[3 * Parameter.BlockSize];
            int count = Math.Min(Parameter.BlockSize, parameter.Count - first);
            Span<float> w = padded.AsSpan(0, Parameter.BlockSize), g = padded.AsSpan(Parameter.BlockSize, Parameter.BlockSize);
            Span<float> next = padded.AsSpan(2 * Parameter.BlockSize);
            values.AsSpan(first, count).CopyTo(w);
            gradient.AsSpan(first, count).CopyTo(g);
            _optimizer.Apply(_settings, 0, w, g, _momentum[parameter].AsSpan(first, Parameter.BlockSize), [], next);
            next[..count].CopyTo(values.AsSpan(first));
        }
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
