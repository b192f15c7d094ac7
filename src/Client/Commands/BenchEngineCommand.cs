using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ConvNet.Client.Benchmarks;
using ConvNet.Engine;

namespace ConvNet.Client.Commands;

/// <summary>bench engine: how fast one worker is by itself.</summary>
internal static class BenchEngineCommand
{
    private const int DefaultSteps = 20;

    public static Command Create(Terminal terminal)
    {
        var options = new BenchOptions(DefaultSteps);
        var engine = new Command(
            "engine",
            """
            Measures training steps (forward, backward, update) and evaluation on random input: medians after a warm-up.

            Example: convnet bench engine --model fashion-cnn --threads 1 --batch 128
            """);
        options.AddTo(engine);
        engine.SetAction(parsed => Run(terminal, options.Read(parsed)));
        return engine;
    }

    private static int Run(Terminal terminal, BenchChoices choices)
    {
        EngineRates rates = EngineBench.Run(choices.Model, choices.Batch, choices.Threads, choices.Steps);
        if (choices.Json)
        {
            var fields = new JsonObject { ["trainImagesPerSecond"] = rates.Training, ["evalImagesPerSecond"] = rates.Evaluation };
            terminal.Out.WriteLine(fields.ToJsonString());
        }
        else
        {
            terminal.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{choices.Model.Name}, batch {choices.Batch}, {choices.Threads} thread(s): " +
                $"training {rates.Training:F0} images/s, evaluation {rates.Evaluation:F0} images/s"));
        }

        return (int)ExitCode.Ok;
    }
}
