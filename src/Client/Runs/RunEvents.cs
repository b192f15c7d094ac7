using System.Text.Json;
using System.Text.Json.Nodes;
using ConvNet.Client.Configuration;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Runs;

/// <summary>
/// The events of a run, one JSON object a line: always into events.jsonl, and to standard output with --json. Scripts rely on
/// the names; fields may be added.
/// </summary>
/// <param name="file">events.jsonl, or null before the run has a folder.</param>
/// <param name="output">Standard output, or null without --json.</param>
public sealed class RunEvents(TextWriter? file, TextWriter? output) : IDisposable
{
    /// <summary>A second Ctrl-C is reported from a thread of its own.</summary>
    private readonly Lock _gate = new();

    public void Started(string runFolder, TrainConfiguration configuration) => Write("run.started", new JsonObject
    {
        ["runFolder"] = runFolder,
        ["options"] = Options(configuration),
    });

    public void EpochCompleted(long epoch, long step, double trainLoss, EvaluationResult evaluation, double imagesPerSecond) =>
        Write("epoch.completed", new JsonObject
        {
            ["epoch"] = epoch,
            ["step"] = step,
            ["trainLoss"] = Number(trainLoss),
            ["testLoss"] = Number(evaluation.Loss),
            ["testAccuracy"] = Number(evaluation.Accuracy),
            ["imagesPerSecond"] = Number(imagesPerSecond),
        });

    public void CheckpointSaved(CheckpointResult checkpoint) => Write("checkpoint.saved", new JsonObject
    {
        ["path"] = checkpoint.Path,
        ["step"] = checkpoint.Step,
        ["stateSha256"] = checkpoint.StateSha256,
    });

    public void Warning(string message) => Write("warning", new JsonObject { ["message"] = message });

    /// <summary>The last line of a run that was not cut short by an error: run.completed or run.stopped.</summary>
    public void Ended(RunSummary summary)
    {
        var workers = new JsonObject();
        foreach ((string name, long samples) in summary.SamplesPerWorker)
        {
            workers[name] = samples;
        }

        Write(summary.Completed ? "run.completed" : "run.stopped", new JsonObject
        {
            ["steps"] = summary.Steps,
            ["epochs"] = summary.Epochs,
            ["trainLoss"] = Number(summary.TrainLoss),
            ["testAccuracy"] = summary.TestAccuracy is { } accuracy ? Number(accuracy) : null,
            ["stateSha256"] = summary.StateSha256,
            ["weightsSha256"] = summary.WeightsSha256,
            ["imagesPerSecond"] = Number(summary.ImagesPerSecond),
            ["samplesPerWorker"] = workers,
            ["checkpoint"] = summary.Checkpoint,
        });
    }

    public void Failed(int exitCode, string error) => Write("run.failed", new JsonObject
    {
        ["exitCode"] = exitCode,
        ["error"] = error,
    });

    public void Dispose() => file?.Dispose();

    /// <summary>JSON knows no NaN and no infinity: they become null.</summary>
    internal static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    private static JsonObject Options(TrainConfiguration configuration)
    {
        var options = new JsonObject();
        foreach (ConfigurationKey key in ConfigurationKeys.All)
        {
            options[key.Path] = key.Get(configuration) switch
            {
                null => null,
                string text => JsonValue.Create(text),
                long whole => JsonValue.Create(whole),
                bool flag => JsonValue.Create(flag),
                object number => Number((double)number),
            };
        }

        return options;
    }

    private void Write(string name, JsonObject fields)
    {
        fields.Insert(0, "event", name);
        string line = fields.ToJsonString(JsonSerializerOptions.Web);
        lock (_gate)
        {
            file?.WriteLine(line);
            file?.Flush();
            output?.WriteLine(line);
            output?.Flush();
        }
    }
}
