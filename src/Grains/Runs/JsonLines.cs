using System.Text.Json;
using System.Text.Json.Nodes;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Runs;

/// <summary>
/// The events of a run as JSON, one object a line: events.jsonl, and standard output with --json. Scripts rely on the names; fields
/// may be added.
/// </summary>
public sealed class JsonLines : RunSink
{
    private const int FewLines = 8;

    private readonly TextWriter? _writer;
    private readonly LineFile? _file;
    private readonly string? _jobId;

    /// <summary>Lines that are in the file, although whoever wrote them did not live to say so.</summary>
    private readonly HashSet<string> _known = [];

    /// <summary>Writes to somebody else's writer, and leaves it open.</summary>
    /// <param name="jobId">Stands in the events that begin and end a run; null if there is no job yet.</param>
    public JsonLines(TextWriter writer, string? jobId) => (_writer, _jobId) = (writer, jobId);

    private JsonLines(LineFile file, string jobId) => (_file, _jobId) = (file, jobId);

    /// <summary>Goes on with a file.</summary>
    public static JsonLines Append(string path, string jobId) => new(new LineFile(path), jobId);

    /// <summary>
    /// Goes on with the file of a writer that was lost. A frozen one that wakes up writes to the old file, which has no name any more; and what is
    /// told again of the last few lines is not written again.
    /// </summary>
    public static JsonLines TakeOver(string path, string jobId)
    {
        string copy = path + ".new";
        File.Copy(path, copy, overwrite: true);
        File.Move(copy, path, overwrite: true);
        string[] last = [.. File.ReadLines(path).TakeLast(FewLines)];
        JsonLines lines = Append(path, jobId);
        lines._known.UnionWith(last);
        return lines;
    }

    /// <summary>JSON knows no NaN and no infinity: they become null.</summary>
    public static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    public override void Handle(RunEvent happened)
    {
        if (Describe(happened) is { } line)
        {
            if (_jobId is not null && happened is (RunEvent.Started or RunEvent.Ended or RunEvent.Failed or RunEvent.Abandoned))
            {
                line["jobId"] = _jobId;
            }

            string text = line.ToJsonString(JsonSerializerOptions.Web);
            if (!_known.Remove(text))
            {
                _file?.Add(text);
                _writer?.WriteLine(text);
                _writer?.Flush();
            }
        }

        _file?.Flush();
    }

    public override bool IsWritten => _file?.IsWritten != false;

    public override string? TakeWarning() => _file?.TakeWarning();

    protected override void Dispose(bool disposing) => _file?.Dispose();

    /// <summary>An event as JSON without the job's id; null if it is none for files.</summary>
    public static JsonObject? Describe(RunEvent happened) => happened switch
    {
        RunEvent.Started started => new()
        {
            ["event"] = "run.started",
            ["runFolder"] = started.Folder,
            ["options"] = JsonNode.Parse(started.OptionsJson),
        },
        RunEvent.EpochCompleted epoch => new()
        {
            ["event"] = "epoch.completed",
            ["epoch"] = epoch.Epoch,
            ["step"] = epoch.Evaluation.Step,
            ["trainLoss"] = Number(epoch.TrainLoss),
            ["testLoss"] = Number(epoch.Evaluation.Loss),
            ["testAccuracy"] = Number(epoch.Evaluation.Accuracy),
            ["imagesPerSecond"] = Number(epoch.ImagesPerSecond),
        },
        RunEvent.CheckpointSaved saved => new()
        {
            ["event"] = "checkpoint.saved",
            ["path"] = saved.Checkpoint.Path,
            ["step"] = saved.Checkpoint.Step,
            ["stateSha256"] = saved.Checkpoint.StateSha256,
        },
        RunEvent.MembersChanged change => new()
        {
            ["event"] = "members.changed",
            ["generation"] = change.Generation,
            ["step"] = change.Step,
            ["lost"] = Names(change.Lost),
            ["joined"] = Names(change.Joined),
            ["workers"] = change.Workers,
            ["reason"] = change.Reason,
            ["noticedSeconds"] = Number(change.NoticedSeconds),
            ["gapSeconds"] = Number(change.GapSeconds),
            ["stepsRepeated"] = change.StepsRepeated,
        },
        RunEvent.Yielded yielded => new()
        {
            ["event"] = yielded.State switch { JobState.Paused => "job.paused", JobState.Orphaned => "job.orphaned", _ => "job.requeued" },
            ["step"] = yielded.Step,
            ["reason"] = yielded.Reason,
        },
        RunEvent.Resumed resumed => new()
        {
            ["event"] = "job.resumed",
            ["step"] = resumed.Step,
            ["generation"] = resumed.Generation,
            ["workers"] = Names(resumed.Workers),
        },
        RunEvent.Warning warning => new() { ["event"] = "warning", ["message"] = warning.Message },
        RunEvent.Completed completed => Ended("run.completed", completed.Summary),
        RunEvent.Stopped stopped => Ended("run.stopped", stopped.Summary),
        RunEvent.Failed failed => new() { ["event"] = "run.failed", ["exitCode"] = (int)failed.ExitCode, ["error"] = failed.Error },
        RunEvent.Abandoned abandoned => new()
        {
            ["event"] = "run.failed",
            ["exitCode"] = (int)abandoned.ExitCode,
            ["error"] = "ended at once, without a checkpoint",
        },
        _ => null,
    };

    private static JsonArray Names(string[] names) => new([.. names.Select(name => JsonValue.Create(name))]);

    private static JsonObject Ended(string name, RunSummary summary) => new()
    {
        ["event"] = name,
        ["steps"] = summary.Steps,
        ["epochs"] = summary.Epochs,
        ["trainLoss"] = Number(summary.TrainLoss),
        ["testAccuracy"] = summary.TestAccuracy is { } accuracy ? Number(accuracy) : null,
        ["stateSha256"] = summary.StateSha256,
        ["weightsSha256"] = summary.WeightsSha256,
        ["imagesPerSecond"] = Number(summary.ImagesPerSecond),
        ["samplesPerWorker"] = new JsonObject(summary.SamplesPerWorker.Select(worker =>
            KeyValuePair.Create(worker.Key, (JsonNode?)JsonValue.Create(worker.Value)))),
        ["checkpoint"] = summary.Checkpoint,
    };
}
