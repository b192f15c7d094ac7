using System.Text.Json;
using ConvNet.Client.Configuration;
using ConvNet.Client.Runs;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Client.Tests;

public sealed class RunEventsTests
{
    private readonly StringWriter _file = new();
    private readonly StringWriter _output = new();

    [Fact]
    public void The_last_line_has_the_fields_that_scripts_rely_on()
    {
        Events().Ended(Summary(0.75));

        JsonElement last = Line();
        Assert.Equal("run.completed", last.GetProperty("event").GetString());
        Assert.Equal(40, last.GetProperty("steps").GetInt64());
        Assert.Equal(1, last.GetProperty("epochs").GetInt64());
        Assert.Equal(0.5, last.GetProperty("trainLoss").GetDouble());
        Assert.Equal(0.75, last.GetProperty("testAccuracy").GetDouble());
        Assert.Equal("aa", last.GetProperty("stateSha256").GetString());
        Assert.Equal("bb", last.GetProperty("weightsSha256").GetString());
        Assert.Equal(1234.5, last.GetProperty("imagesPerSecond").GetDouble());
        Assert.Equal(0, last.GetProperty("samplesPerWorker").GetProperty("silo/1").GetInt64());
        Assert.Equal("/runs/a", last.GetProperty("checkpoint").GetString());
    }

    [Fact]
    public void A_stopped_run_has_the_same_fields_and_no_accuracy()
    {
        Events().Ended(Summary(null));

        JsonElement last = Line();
        Assert.Equal("run.stopped", last.GetProperty("event").GetString());
        Assert.Equal(JsonValueKind.Null, last.GetProperty("testAccuracy").ValueKind);
        Assert.Equal(10, last.EnumerateObject().Count());
    }

    [Fact]
    public void The_file_holds_the_same_events_as_the_output()
    {
        RunEvents events = Events();
        events.Started("/runs/a", new TrainConfiguration());
        events.EpochCompleted(1, 20, 0.5, new EvaluationResult(20, 100, 0.25, 0.875), 99.5);
        events.CheckpointSaved(new CheckpointResult("/runs/a/checkpoints/step-00000020", 20, "aa", "bb"));
        events.Warning("step 3 was skipped");
        events.Failed(5, "diverged");

        Assert.Equal(_file.ToString(), _output.ToString());
        string[] names = [.. _output.ToString().TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement.GetProperty("event").GetString()!)];
        Assert.Equal(["run.started", "epoch.completed", "checkpoint.saved", "warning", "run.failed"], names);
    }

    [Fact]
    public void Numbers_that_JSON_cannot_say_are_null()
    {
        Events().EpochCompleted(1, 20, double.NaN, new EvaluationResult(20, 100, double.PositiveInfinity, 0.5), 1);

        Assert.Equal(JsonValueKind.Null, Line().GetProperty("trainLoss").ValueKind);
        Assert.Equal(JsonValueKind.Null, Line().GetProperty("testLoss").ValueKind);
    }

    [Fact]
    public void The_first_event_holds_every_option()
    {
        Events().Started("/runs/a", new TrainConfiguration());

        JsonElement options = Line().GetProperty("options");
        Assert.Equal(64, options.GetProperty("train.batch").GetInt64());
        Assert.Equal(0.01, options.GetProperty("optimizer.learningRate").GetDouble());
        Assert.Equal(ConfigurationKeys.All.Count, options.EnumerateObject().Count());
    }

    private static RunSummary Summary(double? accuracy) => new(
        accuracy is not null, 40, 1, 0.5, accuracy, "aa", "bb", 1234.5, [new("silo/0", 4000), new("silo/1", 0)], "/runs/a");

    private RunEvents Events() => new(_file, _output);

    private JsonElement Line() => JsonDocument.Parse(_output.ToString()).RootElement;
}
