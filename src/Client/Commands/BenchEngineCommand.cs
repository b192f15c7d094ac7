using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ConvNet.Client.Benchmarks;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;

namespace ConvNet.Client.Commands;

/// <summary>bench engine: how fast one worker is by itself.</summary>
internal static class BenchEngineCommand
{
    private const int DefaultSteps = 20;

    public static Command Create(Terminal terminal)
    {
        var options = new BenchOptions(DefaultSteps);
        var weights = new Option<string?>("--weights")
        {
            Description = "Start with the weights of a checkpoint's model.safetensors [random]",
            HelpName = "FILE",
        };
        var input = new Option<string?>("--input")
        {
            Description = "Take the batch from a safetensors file with images (N, C, H, W) and labels (N) [random]",
            HelpName = "FILE",
        };
        var engine = new Command(
            "engine",
            """
            Measures training steps (forward, backward, update) and evaluation of one batch: medians after a warm-up.

            Example: convnet bench engine --model fashion-cnn --threads 1 --batch 128
            """);
        var device = new DeviceOption("What to compute on [auto: the first GPU that can be used, else cpu]");
        options.AddTo(engine);
        engine.Add(device.Option);
        engine.Add(weights);
        engine.Add(input);
        engine.Validators.Add(result =>
        {
            if (options.HasBatch(result) && result.GetResult(input) is not null)
            {
                result.AddError("--batch and --input exclude each other: the file says how many samples the batch has. Give one of them.");
            }
        });
        engine.SetAction(parsed => Run(terminal, options.Read(parsed), device.OpenOne(parsed, terminal), parsed.GetValue(weights), parsed.GetValue(input)));
        return engine;
    }

    private static int Run(Terminal terminal, BenchChoices choices, ComputeDevice device, string? weights, string? input)
    {
        using var team = new ThreadTeam(choices.Threads);
        using ModelRunner runner = device.CreateRunner(choices.Model, team);
        BenchBatch batch = input is null
            ? BenchBatch.Random(choices.Model.Spec.Input, choices.Model.Classes, choices.Batch)
            : BenchBatch.Read(input, choices.Model.Spec.Input);
        choices.Model.CheckBatch(batch.Count);
        EngineResult result = EngineBench.Run(runner, batch, weights, choices.Steps);
        if (choices.Json)
        {
            terminal.Out.WriteLine(Json(result, device).ToJsonString());
        }
        else
        {
            terminal.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{choices.Model.Spec.Name}, batch {batch.Count}, {choices.Threads} thread(s): training {result.TrainingRate:F0} images/s, " +
                $"evaluation {result.EvaluationRate:F0} images/s, first loss {result.FirstLoss:G6}, " +
                $"peak memory in training {result.PeakMemory >> 20} MiB, {On(device)}"));
        }

        return (int)ExitCode.Ok;
    }

    private static string On(ComputeDevice device) => device == CpuDevice.Instance ? $"vectors of {VectorWidth.Bits} bits" : $"on {device.Description}";

    private static JsonObject Json(EngineResult result, ComputeDevice device) => new()
    {
        ["trainImagesPerSecond"] = result.TrainingRate,
        ["evalImagesPerSecond"] = result.EvaluationRate,
        ["firstLoss"] = double.IsFinite(result.FirstLoss) ? result.FirstLoss : null,
        ["peakMemoryBytes"] = result.PeakMemory,
        ["vectorBits"] = VectorWidth.Bits,
        ["device"] = device.Name,
    };
}
