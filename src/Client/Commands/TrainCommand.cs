using System.CommandLine;
using ConvNet.Client.Configuration;
using ConvNet.Engine;

namespace ConvNet.Client.Commands;

/// <summary>train: the whole way from options to a trained model.</summary>
internal static class TrainCommand
{
    public static Command Create(Terminal terminal)
    {
        var job = new JobOptions();
        var layout = new LayoutOptions();
        var run = new RunOptions();
        var outFolder = new Option<string?>("--out") { Description = "Run folder [runs/train-0001, ...]", HelpName = "DIR" };
        var command = new Command(
            "train",
            """
            Trains a model. With no option: fashion-cnn on the images that come with the program, in a local cluster.

            Example: convnet train --model resnet20 --epochs 5 --workers 2 --out runs/resnet
            """);
        job.AddTo(command);
        layout.AddTo(command);
        command.Add(outFolder);
        run.AddTo(command);
        command.SetAction((parsed, _) =>
        {
            TrainConfiguration c = job.Resolve(parsed, layout);
            terminal.Out.WriteLine(ConfigurationFile.Write(c));
            return Task.FromResult((int)ExitCode.Ok);
        });
        return command;
    }
}
