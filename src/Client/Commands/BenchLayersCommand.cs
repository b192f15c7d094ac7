using System.CommandLine;
using ConvNet.Client.Benchmarks;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Training;

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
            Measures each phase of each layer in training steps, and compares it with this machine's own peak; of a GPU the time by kinds of kernels, too.

            Example: convnet bench layers --model vgg11-bn --threads 1
            """);
        var device = new DeviceOption("What to compute on [auto: the first GPU that can be used, else cpu]");
        options.AddTo(layers);
        layers.Add(device.Option);
        layers.SetAction(parsed => Run(terminal, options.Read(parsed), device.OpenOne(parsed, terminal)));
        return layers;
    }

    private static int Run(Terminal terminal, BenchChoices choices, ComputeDevice device)
    {
        LayerReport report = LayerBench.Run(choices.Model, device, choices.Batch, choices.Threads, choices.Steps);
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
