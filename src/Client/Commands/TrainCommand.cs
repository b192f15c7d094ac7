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
    public const string RunsFolder = "runs";

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
        layout.AddTo(command, run.Cluster.Cluster);
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
        Complete(configuration);
        return choices.Detach
            ? await DetachAsync(terminal, configuration, spec, outFolder, choices)
            : await AttachAsync(terminal, configuration, spec, outFolder, choices);
    }

    private static async Task<int> AttachAsync(
        Terminal terminal, TrainConfiguration configuration, JobSpec spec, string? outFolder, RunChoices choices)
    {
        RunFolder folder = outFolder is null ? RunFolder.CreateNext(RunsFolder) : RunFolder.Create(outFolder);
        using IDisposable held = folder.Lock();
        if (configuration.Model == RunFolder.ModelName)
        {
            PrivateFile.WriteText(folder.ModelPath, ModelFile.Write(spec.Model));
        }

        PrivateFile.WriteText(folder.ConfigurationPath, ConfigurationFile.Write(configuration));
        string id = choices.JobId ?? RunRequest.MakeJobId(Path.GetFileName(folder.FullPath));
        return await choices.AttachAsync(
            terminal, folder, new RunRequest(id, folder.FullPath, configuration, spec, null, 0, choices.StopAfter, choices.Cluster));
    }

    private static Task<int> DetachAsync(Terminal terminal, TrainConfiguration configuration, JobSpec spec, string? outFolder, RunChoices choices)
    {
        string id = choices.JobId ?? RunRequest.MakeJobId(outFolder is null ? "train" : Path.GetFileName(Path.GetFullPath(outFolder)));
        string folder = Path.GetFullPath(outFolder ?? Path.Combine(RunsFolder, id));
        return choices.DetachAsync(terminal, new RunRequest(id, folder, configuration, spec, null, 0, choices.StopAfter, choices.Cluster));
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

    /// <summary>Makes the configuration stand alone in a run folder: absolute paths, its own model file, and the number of workers that was chosen.</summary>
    private static void Complete(TrainConfiguration configuration)
    {
        configuration.Data.Path = JobFactory.PathOf(configuration.Data.Path);
        configuration.Layout.Workers ??= Math.Min(LayoutSection.DefaultWorkers, configuration.Train.DataShards);
        if (ModelPresets.Find(configuration.Model) is null)
        {
            configuration.Model = RunFolder.ModelName;
        }
    }
}
