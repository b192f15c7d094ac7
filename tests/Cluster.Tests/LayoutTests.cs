using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>The promise, through the command line: the same job ends in the same bits, however it is spread.</summary>
public sealed class LayoutTests : IDisposable
{
    private static readonly string[] Job = ["--model", "fashion-cnn", "--steps", "40", "--batch", "100", "--data-shards", "4"];
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Four_corner_layouts_end_in_the_same_state_and_all_workers_work()
    {
        JobEnd alone = await TrainAsync(1, 1, 1);
        Assert.Equal([4000], alone.Samples);
        foreach ((int workers, int silos, int threads) in new[] { (2, 2, 2), (3, 1, 2), (4, 2, 1) })
        {
            JobEnd end = await TrainAsync(workers, silos, threads);

            Assert.Equal(alone.StateSha256, end.StateSha256);
            Assert.Equal(workers, end.Samples.Length);
            Assert.All(end.Samples, samples => Assert.True(samples > 0));
            Assert.Equal(4000, end.Samples.Sum());
        }

        JobEnd otherSeed = await JobEnd.TrainAsync(_folder.Path, [.. Job, "--seed", "2", "--workers", "1", "--threads", "2"]);
        Assert.NotEqual(alone.StateSha256, otherSeed.StateSha256);
    }

    [Fact]
    public async Task A_run_that_was_stopped_goes_on_to_the_same_state_and_repeats_its_last_words()
    {
        string[] job = ["--model", "lenet", "--steps", "20", "--batch", "100"];
        string run = Path.Combine(_folder.Path, "run");
        JobEnd whole = await JobEnd.TrainAsync(_folder.Path, [.. job, "--workers", "1"]);

        JobEnd stopped = await JobEnd.TrainAsync(_folder.Path, [.. job, "--stop-after", "7", "--out", run]);
        using ClientProcess resumed = await ClientProcess.RunAsync(0, _folder.Path, "resume", run, "--workers", "3", "--json");
        using ClientProcess again = await ClientProcess.RunAsync(0, _folder.Path, "resume", run, "--json");

        Assert.Equal(("run.stopped", 7), (stopped.Event, stopped.Steps));
        Assert.Equal(("run.completed", 20, whole.StateSha256), (JobEnd.Of(resumed).Event, JobEnd.Of(resumed).Steps, JobEnd.Of(resumed).StateSha256));
        JsonElement repeated = Assert.Single(again.Events);
        Assert.Equal(resumed.Events[^1].ToString(), repeated.ToString());
        string[] rows = await File.ReadAllLinesAsync(Path.Combine(run, "metrics.csv"), TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(1, 20), rows.Where(row => row.Contains(",train,")).Select(row => int.Parse(row.Split(',')[0])));
    }

    [Fact]
    public async Task An_interrupted_run_saves_a_checkpoint_from_which_it_goes_on()
    {
        string run = Path.Combine(_folder.Path, "run");
        using ClientProcess training = ClientProcess.Start(
            _folder.Path, "train", "--model", "lenet", "--steps", "100000", "--batch", "64", "--out", run, "--json");
        await training.SaysAsync("run.started");
        while (!File.Exists(Path.Combine(run, "metrics.csv")) || new FileInfo(Path.Combine(run, "metrics.csv")).Length < 500)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        training.Terminate();
        await training.EndAsync(143);

        JobEnd end = JobEnd.Of(training);
        Assert.Equal("run.stopped", end.Event);
        using ClientProcess verified = await ClientProcess.RunAsync(0, _folder.Path, "checkpoint", "verify", run, "--json");
        Assert.Equal(end.StateSha256, verified.Events[0].GetProperty("stateSha256").GetString());
        using ClientProcess evaluated = await ClientProcess.RunAsync(0, _folder.Path, "eval", run, "--json");
        Assert.Equal(2000, evaluated.Events[^1].GetProperty("samples").GetInt64());
    }

    public void Dispose() => _folder.Dispose();

    private Task<JobEnd> TrainAsync(int workers, int silos, int threads) =>
        JobEnd.TrainAsync(_folder.Path, [.. Job, "--workers", $"{workers}", "--silos", $"{silos}", "--threads", $"{threads}"]);
}
