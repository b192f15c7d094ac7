using System.Diagnostics;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Bench;

/// <summary>Where a training step's time goes: milliseconds per layer of the top level, the quickest of some steps.</summary>
internal static class LayerProfile
{
    private const int Steps = 21;

    public static void Print(string model, int threads, int batch)
    {
        ModelSpec spec = ModelPresets.Find(model) ?? throw new ArgumentException($"no preset '{model}'", nameof(model));
        using var team = new ThreadTeam(threads);
        using var network = new Network(spec, team: team);
        var exchange = new LocalExchange(network);
        exchange.Initialize(1);
        var plan = new ShardPlan(new ShardTree(batch, 4), 0, 4);
        int[] labels = [.. Enumerable.Range(0, batch).Select(n => n % 10)];
        Activation input = network.Input(batch);
        for (int n = 0; n < batch; n++)
        {
            for (int i = 0; i < spec.Input.Count; i++)
            {
                input[n, i / spec.Input.Area, i % spec.Input.Area / spec.Input.W, i % spec.Input.W] = (n * 31 + i * 7) % 19 / 19f - 0.5f;
            }
        }

        exchange.TrainStep(plan, 0, 1, labels, labels);
        var step = new StepContext(team, KernelSet.Fast) { Training = true, Samples = batch, Plan = plan, Exchange = exchange, SampleIndices = labels };
        Layer[] layers = [.. network.Layers.Except(network.Layers.SelectMany(layer => layer.Children))];
        var times = new double[3 * layers.Length, Steps];
        for (int s = 0; s < Steps; s++)
        {
            Run(layers, step, input, times, s);
        }

        Write(model, threads, batch, layers, times);
    }

    private static void Run(Layer[] layers, StepContext step, Activation input, double[,] times, int s)
    {
        Activation x = input;
        for (int i = 0; i < layers.Length; i++)
        {
            Layer layer = layers[i];
            times[3 * i, s] = Milliseconds(() =>
            {
                foreach (Parameter parameter in layer.Parameters)
                {
                    step.Exchange.Pull(parameter);
                }

                layer.Load(step);
            });
            times[3 * i + 1, s] = Milliseconds(() => x = layer.Forward(x, step));
        }

        using var gradient = new Activation(x.Shape, x.Capacity);
        gradient.SampleSpan(0)[..x.Shape.C].Fill(0.01f);
        Activation? dy = gradient;
        for (int i = layers.Length - 1; i >= 0; i--)
        {
            Layer layer = layers[i];
            times[3 * i + 2, s] = Milliseconds(() => dy = layer.Backward(dy!, step, i > 0));
        }
    }

    private static double Milliseconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static void Write(string model, int threads, int batch, Layer[] layers, double[,] times)
    {
        Console.WriteLine($"{model}, {threads} thread(s), batch {batch}: milliseconds\n");
        Console.WriteLine("| layer | output | load | forward | backward |");
        Console.WriteLine("|---|---|---|---|---|");
        double total = 0;
        for (int i = 0; i < layers.Length; i++)
        {
            double load = Quickest(times, 3 * i), forward = Quickest(times, 3 * i + 1), backward = Quickest(times, 3 * i + 2);
            total += load + forward + backward;
            Console.WriteLine(FormattableString.Invariant(
                $"| {layers[i].Name} {layers[i].GetType().Name} | {layers[i].Output} | {load:F2} | {forward:F2} | {backward:F2} |"));
        }

        Console.WriteLine(FormattableString.Invariant($"| all | | | {total:F1} ms | {batch / total * 1e3:F0} images/s |"));
    }

    private static double Quickest(double[,] times, int row) => Enumerable.Range(0, Steps).Min(s => times[row, s]);
}
