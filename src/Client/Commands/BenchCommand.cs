using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using ConvNet.Engine;
using ConvNet.Engine.Data;
using ConvNet.Engine.Optimizers;

namespace ConvNet.Client.Commands;

/// <summary>bench engine: how fast one worker is by itself.</summary>
internal static class BenchCommand
{
    private const int DataShards = 4;
    private const int WarmUpSteps = 3;
    private const int EvaluationSamples = 50;

    public static Command Create(Terminal terminal)
    {
        var model = new Option<string>("--model")
        {
            Description = "Preset or model file [fashion-cnn]",
            HelpName = "NAME|FILE.json",
            DefaultValueFactory = _ => "fashion-cnn",
        };
        Option<long?> batch = WholeNumber.Option("--batch", "Samples of one step [128]");
        Option<long?> threads = WholeNumber.Option("--threads", "Compute threads [1]");
        Option<long?> steps = WholeNumber.Option("--steps", "Measured steps [20]");
        Option<bool> json = RunOptions.JsonOption();
        var engine = new Command(
            "engine",
            """
            Measures training steps (forward, backward, update) and evaluation on random input: medians after a warm-up.

            Example: convnet bench engine --model fashion-cnn --threads 1 --batch 128
            """)
        { model, batch, threads, steps, json };
        engine.SetAction(parsed => Run(
            terminal,
            ModelFile.Load(parsed.GetValue(model)!),
            WholeNumber.InRange("--batch", parsed.GetValue(batch) ?? 128, 1, 1 << 16),
            WholeNumber.InRange("--threads", parsed.GetValue(threads) ?? 1, 1, 1024),
            WholeNumber.InRange("--steps", parsed.GetValue(steps) ?? 20, 1, 100_000),
            parsed.GetValue(json)));
        return new Command("bench", "Measures speed") { engine };
    }

    private static int Run(Terminal terminal, ModelSpec model, int batch, int threads, int steps, bool json)
    {
        using var team = new ThreadTeam(threads);
        using var network = new Network(model, BatchNormMode.Sync, team);
        double training = TrainingRate(network, batch, steps);
        double evaluation = EvaluationRate(network, steps);
        if (json)
        {
            var fields = new JsonObject { ["trainImagesPerSecond"] = training, ["evalImagesPerSecond"] = evaluation };
            terminal.Out.WriteLine(fields.ToJsonString());
        }
        else
        {
            terminal.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{model.Name}, batch {batch}, {threads} thread(s): training {training:F0} images/s, evaluation {evaluation:F0} images/s"));
        }

        return (int)ExitCode.Ok;
    }

    private static double TrainingRate(Network network, int batch, int steps)
    {
        var optimizer = new Sgd { LearningRate = 0.01, Momentum = 0.9, Nesterov = true, WeightDecay = 5e-4 };
        var training = new LocalTraining(network, optimizer, seed: 1, DataShards);
        int[] samples = [.. Enumerable.Range(0, batch)];
        BatchFiller filler = RandomImages(network, batch);
        int[] labels = new int[batch];
        return MedianRate(batch, steps, () =>
        {
            filler.Fill(seed: 1, epoch: 0, samples, network.Input(batch), labels);
            training.Step(labels, samples);
        });
    }

    private static double EvaluationRate(Network network, int steps)
    {
        var exchange = new LocalExchange(network);
        exchange.Initialize(seed: 1);
        exchange.PrepareEvaluation();
        BatchFiller filler = RandomImages(network, EvaluationSamples);
        int[] samples = [.. Enumerable.Range(0, EvaluationSamples)];
        int[] labels = new int[EvaluationSamples];
        return MedianRate(EvaluationSamples, steps, () =>
        {
            filler.Fill(seed: 0, epoch: 0, samples, network.Input(EvaluationSamples), labels);
            network.Evaluate(EvaluationSamples, labels);
        });
    }

    private static double MedianRate(int samples, int steps, Action step)
    {
        var seconds = new List<double>();
        for (int i = 0; i < WarmUpSteps + steps; i++)
        {
            long start = Stopwatch.GetTimestamp();
            step();
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        double[] sorted = [.. seconds.Skip(WarmUpSteps).Order()];
        return samples / sorted[sorted.Length / 2];
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
