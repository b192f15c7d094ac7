using System.CommandLine;
using System.Text.Json;
using ConvNet.Client.Configuration;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Commands;

/// <summary>resume: goes on from a checkpoint to the same bits as if the run had never ended.</summary>
internal static class ResumeCommand
{
    public static Command Create(Terminal terminal)
    {
        var directory = new Argument<string>("dir") { Description = "Run folder (its newest whole checkpoint) or checkpoint folder", HelpName = "DIR" };
        var data = new KeyOption("--data", "data.path", "PATH", "Where the data is now, if it has moved; its hash must be the job's");
        var layout = new LayoutOptions();
        var run = new RunOptions();
        var command = new Command(
            "resume",
            """
            Goes on with a run that was stopped. The job stays as it is; only where and with how many workers it runs may change. A job that is
            still in its cluster is followed, or taken up if its client is gone.

            Example: convnet resume runs/train-0001 --workers 3
            """)
        { directory };
        command.Add(data.Option);
        layout.AddTo(command, run.Cluster.Cluster);
        run.AddTo(command);
        command.SetAction((parsed, _) => run.Read(parsed).RunAsync(
            terminal,
            choices => RunAsync(terminal, parsed.GetValue(directory)!, [.. layout.Read(parsed).Append(data.Read(parsed)).OfType<Setting>()], choices)));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, string directory, Setting[] settings, RunChoices choices)
    {
        RunFolder? home = !Directory.Exists(directory) ? null : RunFolder.TryOpen(directory) ?? RunFolder.TryOpen(Path.Combine(directory, "..", ".."));
        if (home is not null && await LiveRun.TryAttachAsync(terminal, home, settings.Length > 0, choices) is { } ended)
        {
            return (int)ended;
        }

        using IDisposable? held = home?.Lock();
        if (home is not null)
        {
            CheckpointStore.Sweep(home.CheckpointsPath);
        }

        string checkpoint = CheckpointStore.Resolve(directory, terminal.Warn);
        Checkpoint saved = CheckpointFolder.Load(checkpoint);
        JobSpec spec = JobSpec.FromJson(saved.State.JobJson);
        TrainConfiguration configuration = Configure(home, spec, settings);
        if (saved.State is { Completed: true, Result: { } result })
        {
            CheckpointWeights.CheckFit(spec, saved, checkpoint);
            RepeatResult(terminal, home, checkpoint, saved, spec, result, choices.Json);
            return (int)ExitCode.Ok;
        }

        spec = FindData(spec, directory, settings);
        configuration.Data.Path = spec.Data.NameOrPath;
        if (choices.Detach)
        {
            // The job's own writer takes the folder now.
            held?.Dispose();
            string made = choices.JobId ?? RunRequest.MakeJobId(home is null ? "resume" : Path.GetFileName(home.FullPath));
            return await choices.DetachAsync(terminal, Request(made, home?.FullPath ?? Path.GetFullPath(Path.Combine(TrainCommand.RunsFolder, made))));
        }

        RunFolder folder = home ?? RunFolder.CreateNext(TrainCommand.RunsFolder);
        using IDisposable? heldNew = home is null ? folder.Lock() : null;
        RunRequest request = Request(choices.JobId ?? RunRequest.MakeJobId(Path.GetFileName(folder.FullPath)), folder.FullPath);
        PrivateFile.WriteText(folder.ConfigurationPath, ConfigurationFile.Write(configuration));
        return await choices.AttachAsync(terminal, folder, request);

        RunRequest Request(string id, string path)
        {
            if (configuration.Model == Path.Combine(path, RunFolder.ModelName))
            {
                configuration.Model = RunFolder.ModelName;
            }

            return new RunRequest(id, path, configuration, spec, checkpoint, saved.State.Step, choices.StopAfter, choices.Cluster);
        }
    }

    /// <summary>The configuration of the run, with the layout that is asked for now.</summary>
    private static TrainConfiguration Configure(RunFolder? home, JobSpec spec, Setting[] settings)
    {
        var configuration = new TrainConfiguration();
        if (home is not null && File.Exists(home.ConfigurationPath))
        {
            Setting.Apply(configuration, ConfigurationFile.Read(home.ConfigurationPath), ExitCode.BadInput);
        }

        configuration.Train.DataShards = spec.DataShards;
        Setting.Apply(configuration, settings, ExitCode.Usage);
        configuration.Layout.Workers ??= Math.Min(LayoutSection.DefaultWorkers, spec.DataShards);
        if (settings.All(setting => setting.Key.Path != "layout.minWorkers") && configuration.Layout.MinWorkers > configuration.Layout.Workers)
        {
            // It was meant for more workers than there are to be now.
            configuration.Layout.MinWorkers = null;
        }

        Setting.Check(configuration, settings);
        return configuration;
    }

    /// <summary>The job with the place where its data is now; the hash decides whether it is the job's.</summary>
    private static JobSpec FindData(JobSpec spec, string directory, Setting[] settings)
    {
        string? moved = settings.FirstOrDefault(setting => setting.Key.Path == "data.path")?.Text;
        string place = moved is null ? spec.Data.NameOrPath : JobFactory.PathOf(moved);
        Dataset data;
        try
        {
            data = DataCatalog.Reopen(spec.Data with { NameOrPath = place });
        }
        catch (ConvNetException e) when (moved is null)
        {
            throw new ConvNetException(
                e.ExitCode, $"{e.Message.TrimEnd('.')}. If the data has moved, say where it is: 'convnet resume {directory} --data PATH'.", e);
        }

        if (data.Sha256 != spec.Data.Sha256)
        {
            throw ConvNetException.BadInput(
                $"data '{place}' {(moved is null ? "has changed since the run began" : "is not the data of this run")}: its SHA-256 is {data.Sha256}, " +
                $"but the job was made with {spec.Data.Sha256}. " +
                "Bring the old files back, say with --data where they are, or start a new run." + spec.Data.OlderReading);
        }

        return spec with { Data = spec.Data with { NameOrPath = place } };
    }

    /// <summary>A finished run says its last words again; what only the run itself knew comes from its events.</summary>
    private static void RepeatResult(
        Terminal terminal, RunFolder? home, string checkpoint, Checkpoint saved, JobSpec spec, FinalResult result, bool json)
    {
        string stateSha256 = saved.StateSha256();
        (string? jobId, double imagesPerSecond, KeyValuePair<string, long>[] workers) = home is null ? (null, 0, []) : LastWords(home, stateSha256);
        var summary = new RunSummary(
            saved.State.Step,
            spec.Shape.EpochsIn(saved.State.Step),
            result.TrainLoss,
            result.TestAccuracy,
            stateSha256,
            saved.WeightsSha256(),
            imagesPerSecond,
            workers,
            checkpoint);
        if (!json)
        {
            terminal.Out.WriteLine("This run is complete.");
        }

        using RunSink sink = json ? new JsonLines(terminal.Out, jobId) : new PlainView(terminal);
        sink.Handle(new RunEvent.Completed(home?.FullPath ?? checkpoint, summary));
    }

    private static (string? JobId, double ImagesPerSecond, KeyValuePair<string, long>[] Workers) LastWords(RunFolder home, string stateSha256)
    {
        string? line = File.Exists(home.EventsPath)
            ? File.ReadLines(home.EventsPath).LastOrDefault(line =>
                line.Contains("\"run.completed\"", StringComparison.Ordinal) && line.Contains(stateSha256, StringComparison.Ordinal))
            : null;
        if (line is null)
        {
            return (null, 0, []);
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return (
                document.RootElement.TryGetProperty("jobId", out JsonElement jobId) ? jobId.GetString() : null,
                document.RootElement.GetProperty("imagesPerSecond").GetDouble(),
                [
                    .. document.RootElement.GetProperty("samplesPerWorker").EnumerateObject()
                        .Select(worker => KeyValuePair.Create(worker.Name, worker.Value.GetInt64())),
                ]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return (null, 0, []);
        }
    }
}
