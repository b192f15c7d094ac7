using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Workers on the processor and on a GPU, which the emulator stands for, in one job; and what a run without GPUs does not pay for.</summary>
public sealed class MixedDeviceTests : IDisposable
{
    private const string Net = """
        {"name":"mixed","input":[1,28,28],"layers":[
          {"type":"conv","out":5,"kernel":3,"stride":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},
          {"type":"maxPool","size":2,"stride":2},{"type":"conv","out":9,"kernel":3,"padding":1,"bias":true},{"type":"relu"},
          {"type":"flatten"},{"type":"fullyConnected","out":10}]}
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly string[] _job;

    public MixedDeviceTests() =>
        _job = ["--model", _folder.Write("mixed.json", Net), "--steps", "20", "--stop-after", "3", "--batch", "6", "--threads", "1"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task One_worker_on_the_processor_and_one_on_a_device_end_in_the_state_of_two_on_the_processor()
    {
        JobEnd processor = await TrainAsync("--workers", "2", "--device", "cpu");
        JobEnd mixed = await TrainAsync("--workers", "2", "--device", "cpu,emulated");
        JobEnd silos = await TrainAsync("--workers", "3", "--silos", "2", "--device", "emulated,cpu");
        JobEnd otherSeed = await TrainAsync("--workers", "2", "--device", "cpu,emulated", "--seed", "2");

        Assert.Equal(processor.StateSha256, mixed.StateSha256);
        Assert.Equal(processor.StateSha256, silos.StateSha256);
        Assert.NotEqual(processor.StateSha256, otherSeed.StateSha256);
        Assert.Equal(2, mixed.Samples.Length);
        Assert.All(mixed.Samples, samples => Assert.True(samples > 0));
    }

    [Fact]
    public async Task Silos_with_different_devices_share_a_job_and_tell_what_they_compute_on()
    {
        int[] ports = FreePorts.Take(4);
        string url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";
        string[] common = ["silo", "--cluster", url, "--device"];
        using ClientProcess first = ClientProcess.Start(
            _folder.Path, [.. common, "cpu", "--name", "node-1", "--port", $"{ports[0]}", "--gateway", $"{ports[1]}"]);
        await first.SaysAsync("1 device(s) with 1 thread(s) on cpu.");
        using ClientProcess second = ClientProcess.Start(
            _folder.Path, [.. common, "emulated", "--name", "node-2", "--port", $"{ports[2]}", "--gateway", $"{ports[3]}"]);
        await second.SaysAsync("1 device(s) with 1 thread(s) on emulated.");

        JobEnd mixed = await TrainAsync("--workers", "2", "--cluster", url);

        Assert.Equal((await TrainAsync("--workers", "1", "--device", "cpu")).StateSha256, mixed.StateSha256);
        using ClientProcess status = await ClientProcess.RunAsync(0, _folder.Path, "cluster", "status", "--json", "--cluster", url);
        Assert.Equal(
            ["cpu", "emulated"],
            status.Events[0].GetProperty("silos").EnumerateArray().Select(silo => silo.GetProperty("computesOn")[0].GetString()));
    }

    /// <summary>It has the whole batch, so that the device completes batch norm by itself.</summary>
    [Fact]
    public async Task A_run_on_a_device_alone_has_the_state_and_the_figures_of_the_processor()
    {
        string run = Path.Combine(_folder.Path, "run");
        JobEnd alone = await TrainAsync("--workers", "1", "--device", "emulated", "--out", run);
        Assert.Equal((await TrainAsync("--workers", "1", "--device", "cpu")).StateSha256, alone.StateSha256);
        using ClientProcess processor = await ClientProcess.RunAsync(0, _folder.Path, "eval", run, "--json", "--device", "cpu");
        using ClientProcess emulated = await ClientProcess.RunAsync(0, _folder.Path, "eval", run, "--json", "--device", "emulated");

        Assert.Equal(processor.Output, emulated.Output);
        Assert.Contains("\"samples\":2000,", emulated.Output);
    }

    [Theory]
    [InlineData("cpu", false)]
    [InlineData("emulated", true)]
    public async Task What_compiles_kernels_is_loaded_for_a_device_alone(string device, bool isLoaded)
    {
        using ClientProcess training = ClientProcess.Start(
            _folder.Path, ["train", .. _job.Take(2), "--steps", "100000", "--batch", "6", "--workers", "1", "--device", device, "--json"]);
        await training.SaysAsync("run.started");
        string metrics = Path.Combine(_folder.Path, "runs", "train-0001", "metrics.csv");
        while (!File.Exists(metrics) || new FileInfo(metrics).Length < 200)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        string maps = await File.ReadAllTextAsync($"/proc/{training.Id}/maps", TestContext.Current.CancellationToken);

        Assert.Contains("ConvNet.Engine.dll", maps);
        Assert.Equal(isLoaded, maps.Contains("ILGPU.dll"));
    }

    private Task<JobEnd> TrainAsync(params string[] layout) => JobEnd.TrainAsync(_folder.Path, [.. _job, .. layout]);
}
