using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// The host's code for a card (looking for it, opening it, buffers, compiling and launching kernels) against a driver that does nothing, so that it runs
/// where there is no card. Results are zeros; the driver complains of a launch that no card takes.
/// </summary>
public sealed class IdleDriverTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public IdleDriverTests()
    {
        string source = Path.Combine(AppContext.BaseDirectory, "IdleDriver", "driver.c");
        try
        {
            using Process compiler = Process.Start("cc", ["-shared", "-fPIC", "-o", _folder["libcuda.so.1"], source]);
            compiler.WaitForExit();
            Assert.Equal(0, compiler.ExitCode);
        }
        catch (Win32Exception)
        {
            Assert.Skip("There is no C compiler: install gcc.");
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_card_is_found_with_its_memory_and_its_driver_and_auto_takes_it()
    {
        using ClientProcess devices = await RunAsync(0, "", "devices", "--json");
        using ClientProcess table = await RunAsync(0, "", "devices");

        JsonElement card = devices.Events[0].GetProperty("devices")[1];
        Assert.Equal(("gpu:0", "Idle card, compute capability 9.0"), (card.GetProperty("name").GetString(), card.GetProperty("description").GetString()));
        Assert.Equal(8L << 30, card.GetProperty("memoryBytes").GetInt64());
        Assert.Contains("CUDA 13.0", card.GetProperty("driver").GetString());
        Assert.Equal("null", card.GetProperty("reason").GetRawText());
        Assert.Equal("gpu:0", devices.Events[0].GetProperty("auto")[0].GetString());
        Assert.Contains("--device auto takes gpu:0.", table.Output);
    }

    [Theory]
    [InlineData("lenet")]
    [InlineData("resnet20")]
    [InlineData("vgg11-bn")]
    public async Task A_job_trains_and_evaluates_through_the_driver_and_all_its_launches_are_such_as_a_card_takes(string model)
    {
        Assert.SkipUnless(model == "lenet" || FullRun.IsAsked, FullRun.Needed);
        using ClientProcess training = await RunAsync(
            0, "", "train", "--model", model, "--steps", "2", "--batch", "30", "--workers", "1", "--out", _folder["run"], "--device", "gpu:0");

        Assert.Equal("", training.Error);
        Assert.Contains("1 workers on gpu:0 (Idle card) in a local cluster", training.Output);
        Assert.Contains("Trained 2 steps.", training.Output);
    }

    /// <summary>
    /// Each part of a step is launched twice by its kernels, the second time into a graph, and then only as that graph; those that copy the samples once for
    /// each of two inputs.
    /// </summary>
    [Fact]
    public async Task Steps_that_repeat_each_other_are_launched_as_graphs()
    {
        Dictionary<string, long> few = await CountAsync("", steps: 8), many = await CountAsync("", steps: 28);

        Assert.Equal(few["launches"], many["launches"]);
        Assert.Equal((few["captured"], few["graphs"], few["forks"]), (many["captured"], many["graphs"], many["forks"]));
        Assert.InRange(few["graphs"], 2, 20);
        Assert.InRange(few["forks"], 1, few["graphs"]);
        Assert.InRange(many["graphLaunches"] - few["graphLaunches"], 20, 20 * few["graphs"]);
    }

    [Fact]
    public async Task Benchmarks_run_with_parameters_that_stay_on_the_card_and_time_its_kernels()
    {
        string[] layers = ["bench", "layers", "--model", "lenet", "--batch", "16", "--steps", "2", "--device", "gpu:0", "--json"];
        using ClientProcess engine = await RunAsync(
            0, "", "bench", "engine", "--model", "lenet", "--batch", "16", "--steps", "3", "--device", "gpu:0", "--json");
        using ClientProcess kernels = await RunAsync(0, "", layers);

        Assert.Equal(("", ""), (engine.Error, kernels.Error));
        Assert.Equal("gpu:0", engine.Events[0].GetProperty("device").GetString());

        // Each launch takes a millisecond by this driver's clock, and one updates all parameters.
        JsonElement update = kernels.Events.Single(row => row.TryGetProperty("family", out JsonElement family) && family.GetString() == "Updates");
        Assert.Equal((1, 1), (update.GetProperty("launches").GetDouble(), update.GetProperty("milliseconds").GetDouble()));
    }

    [Theory]
    [InlineData("capture")]
    [InlineData("graph")]
    [InlineData("launch")]
    public async Task A_driver_that_makes_no_graphs_is_handed_all_launches(string fault)
    {
        Dictionary<string, long> counts = await CountAsync(fault, steps: 26);

        Assert.Equal(0, counts["graphLaunches"]);
        Assert.InRange(counts["graphs"], 0, 1);
        Assert.InRange(counts["launches"], 26 * 30, long.MaxValue);
    }

    /// <summary>All its results are zeros.</summary>
    [Fact]
    public async Task A_card_that_computes_other_bits_is_refused_and_auto_takes_the_processor()
    {
        using ClientProcess devices = await StartAsync(0, "", "devices");
        using ClientProcess training = await StartAsync(5, "", "train", "--device", "gpu");
        using ClientProcess automatic = await StartAsync(
            0, "", "train", "--model", "lenet", "--steps", "1", "--workers", "1", "--out", _folder["run"], "--device", "auto");

        Assert.Contains("gpu:0 cannot be used: gpu:0 (Idle card) does not compute the bits of this processor", devices.Output);
        Assert.Contains("--device auto takes cpu.", devices.Output);
        Assert.Matches("[0-9]+ of [0-9]+ weights of a small net, the first in 0.weight, differ from the processor's after 4 steps", training.Error);
        Assert.StartsWith("warning: --device auto passes over gpu:0: gpu:0 (Idle card) does not compute the bits of this processor", automatic.Error);
        Assert.Contains("1 workers on cpu", automatic.Output);
    }

    [Fact]
    public async Task A_card_that_is_not_there_is_refused_with_those_that_are()
    {
        using ClientProcess training = await RunAsync(7, "", "train", "--device", "gpu:3");

        Assert.Contains("there is no gpu:3: this machine has gpu:0 (Idle card).", training.Error);
    }

    [Fact]
    public async Task A_driver_without_a_card_is_told_and_auto_takes_the_processor()
    {
        using ClientProcess devices = await RunAsync(0, "init", "devices");
        using ClientProcess training = await RunAsync(7, "init", "train", "--device", "gpu");

        Assert.Contains("cuInit ended with 100 (no CUDA-capable device is detected)", devices.Output);
        Assert.Contains("--device auto takes cpu.", devices.Output);
        Assert.Contains("there is no GPU: the driver does not start: cuInit ended with 100", training.Error);
    }

    [Fact]
    public async Task A_driver_that_refuses_kernels_is_told_in_the_words_of_its_compiler_before_a_job_starts()
    {
        using ClientProcess training = await RunAsync(7, "module", "train", "--model", "lenet", "--steps", "2", "--workers", "1", "--device", "gpu");
        using ClientProcess devices = await RunAsync(0, "module", "devices");

        Assert.Contains("ptxas fatal: refused on purpose", training.Error);
        Assert.Contains("gpu:0 cannot be used: the driver of gpu:0 refuses", devices.Output);
        Assert.Contains("--device auto takes cpu.", devices.Output);
    }

    [Fact]
    public async Task A_card_that_fails_in_a_step_costs_the_job_its_worker_and_not_the_process()
    {
        using ClientProcess training = await RunAsync(
            0, "wait", "train", "--model", "lenet", "--steps", "40", "--batch", "30", "--workers", "2", "--out", _folder["run"], "--device", "gpu,cpu");

        Assert.Matches("worker local-1/0 is lost .*step [0-9]+: gpu:0 [(]Idle card[)] has failed: refused[.]", training.Output);
        Assert.Contains("Trained 40 steps.", training.Output);
        Assert.Equal("", training.Error);
    }

    [Fact]
    public async Task A_job_that_does_not_fit_the_card_is_refused_with_the_numbers_before_it_starts()
    {
        using ClientProcess training = await RunAsync(
            7, "memory", "train", "--model", "lenet", "--steps", "2", "--batch", "64", "--workers", "1", "--out", _folder["run"], "--device", "gpu");

        Assert.Contains("of 64 samples", training.Error);
        Assert.Contains("MiB, and gpu:0 (Idle card) has 1 MiB free", training.Error);
        Assert.Contains("--batch", training.Error);
    }

    /// <summary>What the driver counts in a training of lenet.</summary>
    private async Task<Dictionary<string, long>> CountAsync(string fault, int steps)
    {
        string counts = _folder[$"counts-{steps}"];
        using ClientProcess training = await StartAsync(
            0,
            fault,
            ["train", "--model", "lenet", "--steps", $"{steps}", "--batch", "30", "--workers", "1", "--out", _folder[$"run-{steps}"], "--device", "gpu:0"],
            "CONVNET_GPU_UNCHECKED=1",
            $"IDLE_DRIVER_COUNTS={counts}");
        Assert.Equal("", training.Error);
        return (await File.ReadAllTextAsync(counts)).Split().Where(part => part != "")
            .ToDictionary(part => part.Split('=')[0], part => long.Parse(part.Split('=')[1], CultureInfo.InvariantCulture));
    }

    /// <summary>Takes the card for what it is: it passes no check of its bits.</summary>
    private Task<ClientProcess> RunAsync(int exitCode, string fault, params string[] args) => StartAsync(exitCode, fault, args, "CONVNET_GPU_UNCHECKED=1");

    private Task<ClientProcess> StartAsync(int exitCode, string fault, params string[] args) => StartAsync(exitCode, fault, args, "CONVNET_GPU_UNCHECKED=");

    private async Task<ClientProcess> StartAsync(int exitCode, string fault, string[] args, params string[] settings)
    {
        ClientProcess process = ClientProcess.StartBy(
            ["env", $"LD_LIBRARY_PATH={_folder.Path}", $"IDLE_DRIVER_FAIL={fault}", .. settings], _folder.Path, args);
        await process.EndAsync(exitCode);
        return process;
    }
}
