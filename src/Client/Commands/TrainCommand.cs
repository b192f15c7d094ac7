using System.CommandLine;
using ConvNet.Client.Configuration;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Data;
using ConvNet.Engine.Files;
using ConvNet.Engine.Models;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Commands;

/// <summary>train: the whole way from options to a trained model.</summary>
internal static class TrainCommand
{
    private const string RunsFolder = "runs";
    public const string ModelFileName = "model.json";

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
        command.SetAction((parsed, _) => run.Read(parsed).RunAsync(
            terminal, choices => RunAsync(terminal, job.Resolve(parsed, layout), parsed.GetValue(outFolder), choices)));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, TrainConfiguration configuration, string? outFolder, RunChoices choices)
    {
        ModelSpec model = ModelFile.Load(configuration.Model);
        Dataset data = OpenData(configuration.Data, terminal);
        JobSpec spec = JobFactory.Create(configuration, model, data);
        choices.Check();
        RunFolder folder = outFolder is null ? RunFolder.CreateNext(RunsFolder) : RunFolder.Create(outFolder);
        using IDisposable held = folder.Lock();
        Complete(configuration, model, folder);
        PrivateFile.WriteText(folder.ConfigurationPath, ConfigurationFile.Write(configuration));
        var session = new RunSession(folder, configuration, spec, null, 0, choices.StopAfter, choices.ClusterUrl);
        return await session.RunAsync(choices.Sinks(terminal));
    }

    /// <summary>Reads the data of a configuration, and prints what is probably wrong with them.</summary>
    public static Dataset OpenData(DataSection section, Terminal terminal)
    {
        Dataset data = DataCatalog.Open(section.Path, section.Size, (int?)section.Channels, section.TestShare);
        foreach (string warning in data.Warnings)
        {
            terminal.Error.WriteLine($"warning: {section.Path}: {warning}.");
        }

        return data;
    }

    /// <summary>Makes the configuration stand alone: absolute paths, a copy of the model file, and the number of workers that was chosen.</summary>
    private static void Complete(TrainConfiguration configuration, ModelSpec model, RunFolder folder)
    {
        configuration.Data.Path = JobFactory.PathOf(configuration.Data.Path);
        configuration.Layout.Workers ??= Math.Min(LayoutSection.DefaultWorkers, configuration.Train.DataShards);
        if (ModelPresets.Find(configuration.Model) is null)
        {
            string copy = Path.Combine(folder.FullPath, ModelFileName);
            PrivateFile.WriteText(copy, ModelFile.Write(model));
            configuration.Model = ModelFileName;
        }
    }
}
