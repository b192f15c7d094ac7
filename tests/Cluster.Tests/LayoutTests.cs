using System.Text.Json;
using ConvNet.Grains.Checkpoints;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>The promise, through the command line: the same job ends in the same bits, however it is spread.</summary>
public sealed class LayoutTests : IDisposable
{
    private static readonly string[] Job = ["--model", "fashion-cnn", "--steps", "16", "--batch", "100", "--data-shards", "4"];
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Four_corner_layouts_end_in_the_same_state_and_all_workers_work()
    {
        JobEnd alone = await TrainAsync(1, 1, 1);
        Assert.Equal([1600], alone.Samples);
        foreach ((int workers, int silos, int threads) in new[] { (2, 2, 2), (3, 1, 2), (4, 2, 1) })
        {
            JobEnd end = await TrainAsync(workers, silos, threads);

            Assert.Equal(alone.StateSha256, end.StateSha256);
            Assert.Equal(workers, end.Samples.Length);
            Assert.All(end.Samples, samples => Assert.True(samples > 0));
            Assert.Equal(1600, end.Samples.Sum());
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

    [Fact]
    public async Task A_run_whose_terminal_is_closed_saves_and_goes_on_to_the_bits_of_one_that_was_left_alone()
    {
        string[] job = ["--model", "lenet", "--steps", "400", "--batch", "20"];
        string run = Path.Combine(_folder.Path, "run");
        JobEnd whole = await JobEnd.TrainAsync(_folder.Path, job);
        using ClientProcess training = ClientProcess.Start(_folder.Path, ["train", .. job, "--out", run, "--json"]);
        await training.SaysAsync("run.started");
        while (!File.Exists(Path.Combine(run, "metrics.csv")) || new FileInfo(Path.Combine(run, "metrics.csv")).Length < 200)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        training.HangUp();
        training.HangUp();
        await training.EndAsync(129);
        using ClientProcess resumed = await ClientProcess.RunAsync(0, _folder.Path, "resume", run, "--json");

        Assert.Equal("run.stopped", JobEnd.Of(training).Event);
        Assert.InRange(JobEnd.Of(training).Steps, 1, 399);
        Assert.Equal(whole.StateSha256, JobEnd.Of(resumed).StateSha256);
    }

    [Fact]
    public async Task When_a_run_saves_and_what_it_keeps_changes_no_bit_and_is_no_part_of_the_job()
    {
        string run = Path.Combine(_folder.Path, "run"), data = Path.Combine(_folder.Path, "data");
        WriteIdx(data, seed: 1);
        string[] job = ["--model", "lenet", "--steps", "13", "--batch", "10", "--data", data];
        JobEnd plain = await JobEnd.TrainAsync(_folder.Path, job);

        JobEnd often = await JobEnd.TrainAsync(
            _folder.Path, [.. job, "--out", run, "-s", "checkpoint.everySteps=2", "-s", "checkpoint.keep=3", "-s", "checkpoint.keepEvery=2"]);

        Assert.Equal(plain.StateSha256, often.StateSha256);
        Assert.Equal(JobOf(plain), JobOf(often));
        HashSet<string> kept = [.. Directory.GetDirectories(Path.Combine(run, "checkpoints")).Select(path => Path.GetFileName(path)!)];
        Assert.Superset(new HashSet<string> { "step-00000006", "step-00000010", "step-00000012", "step-00000013" }, kept);
        Assert.InRange(kept.Count, 4, 5);
    }

    [Fact]
    public async Task Data_that_has_moved_is_found_again_and_other_data_is_refused()
    {
        string run = Path.Combine(_folder.Path, "run"), first = Path.Combine(_folder.Path, "first"), second = Path.Combine(_folder.Path, "second");
        WriteIdx(first, seed: 1);
        string[] job = ["--model", "lenet", "--steps", "6", "--batch", "10", "--data", first];
        JobEnd whole = await JobEnd.TrainAsync(_folder.Path, job);
        await JobEnd.TrainAsync(_folder.Path, [.. job, "--stop-after", "3", "--out", run]);
        Directory.Move(first, second);
        WriteIdx(Path.Combine(_folder.Path, "other"), seed: 2);

        using ClientProcess lost = await ClientProcess.RunAsync(3, _folder.Path, "resume", run);
        using ClientProcess other = await ClientProcess.RunAsync(3, _folder.Path, "resume", run, "--data", "other");
        using ClientProcess found = await ClientProcess.RunAsync(0, _folder.Path, "resume", run, "--data", "second", "--stop-after", "5");
        using ClientProcess ended = await ClientProcess.RunAsync(0, _folder.Path, "resume", run, "--json");

        Assert.Contains($"resume {run} --data PATH", lost.Error);
        Assert.Contains("is not the data of this run", other.Error);
        Assert.Equal(whole.StateSha256, JobEnd.Of(ended).StateSha256);
    }

    [Fact]
    public async Task Without_the_last_batch_of_an_epoch_all_layouts_end_in_the_same_state()
    {
        string data = Path.Combine(_folder.Path, "data");
        WriteIdx(data, seed: 1);
        string[] job = ["--model", "lenet", "--epochs", "2", "--batch", "7", "--data", data, "-s", "train.dropLast=true"];

        JobEnd alone = await JobEnd.TrainAsync(_folder.Path, [.. job, "--workers", "1"]);
        JobEnd three = await JobEnd.TrainAsync(_folder.Path, [.. job, "--workers", "3"]);

        Assert.Equal((8, 56), (alone.Steps, alone.Samples.Sum()));
        Assert.Equal(alone.StateSha256, three.StateSha256);
    }

    public void Dispose() => _folder.Dispose();

    private static string JobOf(JobEnd end) => CheckpointFolder.Load(end.Checkpoint).State.JobJson;

    /// <summary>30 training and 10 test images of 28x28.</summary>
    private static void WriteIdx(string folder, int seed)
    {
        Directory.CreateDirectory(folder);
        var random = new Random(seed);
        foreach ((string prefix, int count) in new[] { ("train", 30), ("t10k", 10) })
        {
            byte[] pixels = new byte[count * 28 * 28];
            random.NextBytes(pixels);
            File.WriteAllBytes(Path.Combine(folder, $"{prefix}-images-idx3-ubyte"), [0, 0, 8, 3, 0, 0, 0, (byte)count, 0, 0, 0, 28, 0, 0, 0, 28, .. pixels]);
            byte[] labels = [.. Enumerable.Range(0, count).Select(i => (byte)(i % 10))];
            File.WriteAllBytes(Path.Combine(folder, $"{prefix}-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, (byte)count, .. labels]);
        }
    }

    private Task<JobEnd> TrainAsync(int workers, int silos, int threads) =>
        JobEnd.TrainAsync(_folder.Path, [.. Job, "--workers", $"{workers}", "--silos", $"{silos}", "--threads", $"{threads}"]);
}
