using System.CommandLine;
using ConvNet.Client.Benchmarks;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;

namespace ConvNet.Client.Commands;

/// <summary>bench layers: where the time of a training step goes.</summary>
internal static class BenchLayersCommand
{
    private const int DefaultSteps = 8;

    public static Command Create(Terminal terminal)
    {
        var options = new BenchOptions(DefaultSteps);
        var layers = new Command(
            "layers",
            """
            Measures each phase of each layer in training steps, and compares it with this machine's own peak.

            Example: convnet bench layers --model vgg11-bn --threads 1
            """);
        options.AddTo(layers);
        layers.SetAction(parsed => Run(terminal, options.Read(parsed)));
        return layers;
    }

    private static int Run(Terminal terminal, BenchChoices choices)
    {
        LayerReport report = LayerBench.Run(choices.Model, choices.Batch, choices.Threads, choices.Steps);
        if (choices.Json)
        {
            LayerJson.Write(report, terminal.Out);
        }
        else
        {
            LayerTables.Write(report, terminal.Out);
        }

        return (int)ExitCode.Ok;
    }
}
