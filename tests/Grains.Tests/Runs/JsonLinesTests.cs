using System.Text.Json;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using Xunit;

namespace ConvNet.Grains.Tests.Runs;

public sealed class JsonLinesTests
{
    private readonly StringWriter _output = new();

    [Fact]
    public void The_last_line_has_the_fields_that_scripts_rely_on()
    {
        JsonElement last = Line(new RunEvent.Completed("/runs/a", Summary(0.75)));

        Assert.Equal("run.completed", last.GetProperty("event").GetString());
        Assert.Equal("a-1", last.GetProperty("jobId").GetString());
        Assert.Equal(40, last.GetProperty("steps").GetInt64());
        Assert.Equal(1, last.GetProperty("epochs").GetInt64());
        Assert.Equal(0.5, last.GetProperty("trainLoss").GetDouble());
        Assert.Equal(0.75, last.GetProperty("testAccuracy").GetDouble());
        Assert.Equal("aa", last.GetProperty("stateSha256").GetString());
        Assert.Equal("bb", last.GetProperty("weightsSha256").GetString());
        Assert.Equal(1234.5, last.GetProperty("imagesPerSecond").GetDouble());
        Assert.Equal(0, last.GetProperty("samplesPerWorker").GetProperty("silo/1").GetInt64());
        Assert.Equal("/runs/a/x", last.GetProperty("checkpoint").GetString());
    }

    [Fact]
    public void A_file_that_is_taken_over_has_each_event_once_and_nothing_of_a_writer_that_wakes_up()
    {
        using var temporary = new TemporaryFolder();
        string path = temporary["events.jsonl"];
        using JsonLines frozen = JsonLines.Append(path, "a-1");
        frozen.Handle(new RunEvent.Warning("first"));
        frozen.Handle(new RunEvent.Warning("second"));
        using (JsonLines next = JsonLines.TakeOver(path, "a-1"))
        {
            frozen.Handle(new RunEvent.Warning("late"));
            next.Handle(new RunEvent.Warning("second"));
            next.Handle(new RunEvent.Warning("third"));
            next.Handle(new RunEvent.Warning("third"));
        }

        string[] messages = [.. File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("message").GetString()!)];
        Assert.Equal(["first", "second", "third", "third"], messages);
    }

    [Fact]
    public void A_stopped_run_has_the_same_fields_and_no_accuracy()
    {
        JsonElement last = Line(new RunEvent.Stopped("/runs/a", Summary(null)));

        Assert.Equal("run.stopped", last.GetProperty("event").GetString());
        Assert.Equal(JsonValueKind.Null, last.GetProperty("testAccuracy").ValueKind);
        Assert.Equal(11, last.EnumerateObject().Count());
    }

    [Fact]
    public void A_file_goes_on_with_the_same_lines_as_the_output()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("events.jsonl", "{\"event\":\"run.stopped\"}\n");
        using (var output = new JsonLines(_output, "a-1"))
        using (JsonLines file = JsonLines.Append(path, "a-1"))
        {
            foreach (RunEvent happened in Events())
            {
                output.Handle(happened);
                file.Handle(happened);
            }
        }

        string[] names = [.. File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("event").GetString()!)];
        Assert.Equal(["run.stopped", "run.started", "epoch.completed", "checkpoint.saved", "warning", "run.failed", "run.failed"], names);
        Assert.Equal(File.ReadLines(path).Skip(1), _output.ToString().TrimEnd().Split(Environment.NewLine));
    }

    [Fact]
    public void Numbers_that_JSON_cannot_say_are_null()
    {
        JsonElement line = Line(new RunEvent.EpochCompleted(1, 2, double.NaN, new EvaluationResult(20, 100, double.PositiveInfinity, 0.5), 1));

        Assert.Equal(JsonValueKind.Null, line.GetProperty("trainLoss").ValueKind);
        Assert.Equal(JsonValueKind.Null, line.GetProperty("testLoss").ValueKind);
    }

    [Fact]
    public void The_first_event_holds_the_options_as_they_were_given()
    {
        Line(new RunEvent.Started("/runs/a", """{"optimizer.epsilon":1E-08,"data.path":"/o\u0027brien"}""", ["not for scripts"]));

        Assert.Equal(
            """{"event":"run.started","runFolder":"/runs/a","options":{"optimizer.epsilon":1E-08,"data.path":"/o\u0027brien"},"jobId":"a-1"}""",
            _output.ToString().TrimEnd());
    }

    [Fact]
    public void A_change_of_members_has_the_fields_that_scripts_rely_on()
    {
        Line(new RunEvent.MembersChanged(3, 412, ["node-3/0"], ["node-4/0"], 2, "silo left", 1.25, 2.5, 1));

        Assert.Equal(
            """
            {"event":"members.changed","generation":3,"step":412,"lost":["node-3/0"],"joined":["node-4/0"],"workers":2,
            "reason":"silo left","noticedSeconds":1.25,"gapSeconds":2.5,"stepsRepeated":1}
            """.ReplaceLineEndings(""),
            _output.ToString().TrimEnd());
    }

    [Fact]
    public void Only_the_events_that_begin_and_end_a_run_name_the_job()
    {
        Assert.False(Line(new RunEvent.Warning("step 3 was skipped")).TryGetProperty("jobId", out _));
        using var unknown = new JsonLines(_output, null);
        _output.GetStringBuilder().Clear();
        unknown.Handle(new RunEvent.Failed(ExitCode.Usage, "no"));
        Assert.DoesNotContain("jobId", _output.ToString());
    }

    [Fact]
    public void A_process_that_is_told_twice_to_end_says_that_there_is_no_checkpoint()
    {
        JsonElement line = Line(new RunEvent.Abandoned(ExitCode.Interrupted));

        Assert.Equal(130, line.GetProperty("exitCode").GetInt32());
        Assert.Equal("ended at once, without a checkpoint", line.GetProperty("error").GetString());
    }

    private static RunEvent[] Events() =>
    [
        new RunEvent.Started("/runs/a", "{}", ["not for scripts"]),
        new RunEvent.StepsCommitted([new StepRow(0, 1, 0.5, 0.1, 2, 0.25)], 20),
        new RunEvent.EpochCompleted(1, 2, 0.5, new EvaluationResult(20, 100, 0.25, 0.875), 99.5),
        new RunEvent.CheckpointSaved(new CheckpointResult("/runs/a/checkpoints/step-00000020", 20, "aa", "bb")),
        new RunEvent.Warning("step 3 was skipped"),
        new RunEvent.Notice("not for scripts"),
        new RunEvent.Failed(ExitCode.TrainingFailed, "diverged"),
        new RunEvent.Abandoned(ExitCode.Interrupted),
    ];

    private static RunSummary Summary(double? accuracy) =>
        new(40, 1, 0.5, accuracy, "aa", "bb", 1234.5, [new("silo/0", 4000), new("silo/1", 0)], "/runs/a/x");

    private JsonElement Line(RunEvent happened)
    {
        using var lines = new JsonLines(_output, "a-1");
        lines.Handle(happened);
        return JsonDocument.Parse(_output.ToString()).RootElement;
    }
}
