using System.Globalization;
using System.Runtime.Intrinsics;
using System.Text.Json;
using ConvNet.Client.Benchmarks;
using ConvNet.Client.Tests.Commands;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Training;
using Xunit;

namespace ConvNet.Client.Tests.Benchmarks;

public sealed class BenchLayersTests
{
    private const string Residual =
        """
        {"name":"small","input":[3,8,8],"layers":[
          {"type":"conv","out":8,"kernel":3,"padding":1,"groups":1,"bias":true},
          {"type":"residual","main":[{"type":"conv","out":16,"kernel":1,"stride":2,"groups":4,"rounding":"floor"},{"type":"batchNorm"}],
           "shortcut":[{"type":"conv","out":16,"kernel":1,"stride":2,"rounding":"floor"}]},
          {"type":"globalAvgPool"},{"type":"flatten"},{"type":"fullyConnected","out":10}]}
        """;

    [Fact]
    public async Task The_tables_have_a_row_for_each_layer_and_the_sums_of_the_phases()
    {
        using var folder = new TemporaryFolder();

        CommandLineRun run = await CommandLineRun.RunAsync(
            "bench", "layers", "--model", folder.Write("small.json", Residual), "--batch", "8", "--steps", "2", "--threads", "2");

        Assert.Equal(0, run.ExitCode);
        string[][] rows = [.. run.Out.Split('\n').Where(line => line.StartsWith('|')).Select(Cells)];
        Assert.Contains(["layer", "type", "phase", "ms", "GFLOP/s", "GB/s", "of peak", "of step"], rows);
        Assert.Contains(
            ["layer", "type", "output", "load", "forward", "backward data", "backward weights", "update", "sum", "of step"], rows);
        foreach (string layer in (string[])["0", "1", "1.main.0", "1.main.1", "1.shortcut.0", "2", "3", "4"])
        {
            Assert.Single(rows, row => row.Length == 10 && row[0] == layer);
        }

        Assert.Equal("16x4x4", rows.Single(row => row.Length == 10 && row[0] == "1.main.0")[2]);
        Assert.Contains(rows, row => row[0] == "not accounted for");
        Assert.Contains("images/s", run.Out);
        Assert.Contains($"Kernels ran on vectors of {VectorWidth.Bits} bits.", run.Out);
        Assert.Contains("(FMA, 256 bits)", run.Out);
        Assert.Contains(Vector512.IsHardwareAccelerated ? "(FMA, 512 bits)" : "no vectors of 512 bits", run.Out);
    }

    [Fact]
    public async Task Json_has_a_line_for_the_peak_for_each_phase_of_a_layer_and_for_the_totals_that_add_up()
    {
        CommandLineRun run = await CommandLineRun.RunAsync("bench", "layers", "--model", "lenet", "--batch", "8", "--steps", "3", "--json");

        Assert.Equal(0, run.ExitCode);
        JsonElement[] lines = [.. run.Out.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal("peak", Text(lines[0], "row"));
        Assert.True(Number(lines[0], "gigaflopsPerSecond") > 0 && Number(lines[0], "gigabytesPerSecond") > 0);
        Assert.Equal(VectorWidth.Bits, Number(lines[0], "vectorBits"));
        Assert.True(Number(lines[0], "gigaflopsPerSecond256") > 0);
        Assert.Equal(
            Vector512.IsHardwareAccelerated ? JsonValueKind.Number : JsonValueKind.Null,
            lines[0].GetProperty("gigaflopsPerSecond512").ValueKind);
        JsonElement[] parts = lines[1..^1];
        Assert.All(parts, part => Assert.Equal("part", Text(part, "row")));
        Assert.Equal(
            ["load", "forward", "backwardData", "backwardWeights", "update"],
            parts.Where(part => Text(part, "layer") == "3").Select(part => Text(part, "phase")));
        JsonElement total = lines[^1];
        Assert.Equal("total", Text(total, "row"));
        string[] sums =
        [
            "loadMilliseconds", "forwardMilliseconds", "backwardDataMilliseconds", "backwardWeightsMilliseconds", "updateMilliseconds",
            "inputMilliseconds", "lossMilliseconds", "statisticsMilliseconds", "restMilliseconds",
            "scatterMilliseconds",
        ];
        Assert.Equal(Number(total, "stepMilliseconds"), sums.Sum(name => Number(total, name)), 1e-6);
        Assert.Equal(
            parts.Where(part => Text(part, "phase") == "forward").Sum(part => Number(part, "milliseconds")),
            Number(total, "forwardMilliseconds"),
            1e-6);
    }

    [Fact]
    public async Task A_device_other_than_the_processor_tells_its_kernels_and_no_peak()
    {
        string[] args = ["bench", "layers", "--model", "lenet", "--batch", "2", "--steps", "1", "--device", "emulated"];
        CommandLineRun tables = await CommandLineRun.RunAsync(args);
        CommandLineRun json = await CommandLineRun.RunAsync([.. args, "--json"]);

        Assert.Equal((0, 0), (tables.ExitCode, json.ExitCode));
        string[][] rows = [.. tables.Out.Split('\n').Where(line => line.StartsWith('|')).Select(Cells)];
        Assert.Contains(["kernels", "launches", "ms", "of all kernels"], rows);
        string[] products = rows.Single(row => row[0] == "GatheredProducts");
        Assert.InRange(int.Parse(products[1], CultureInfo.InvariantCulture), 2, 20);
        Assert.Contains("lenet on emulated, batch 2", tables.Out);
        Assert.DoesNotContain("peak of", tables.Out, StringComparison.OrdinalIgnoreCase);

        JsonElement[] lines = [.. json.Out.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal("part", Text(lines[0], "row"));
        JsonElement[] kernels = [.. lines.Where(line => Text(line, "row") == "kernels")];
        Assert.Contains(kernels, kernel => Text(kernel, "family") == "copies");
        Assert.All(kernels, kernel => Assert.True(Number(kernel, "launches") >= 1 && Number(kernel, "milliseconds") > 0));
        Assert.Equal("emulated", Text(lines[^1], "device"));
    }

    [Theory]
    [InlineData("0", StepPhase.Forward, 2.0 * 8 * 3 * 9 * 64)]
    [InlineData("1.main.0", StepPhase.BackwardData, 2.0 * 16 * 2 * 16)]
    [InlineData("1.main.0", StepPhase.BackwardWeights, 2.0 * 16 * 2 * 16)]
    [InlineData("4", StepPhase.Forward, 2.0 * 16 * 10)]
    [InlineData("1.main.1", StepPhase.Forward, 0)]
    [InlineData("0", StepPhase.Update, 0)]
    public void Nominal_operations_are_two_for_each_multiply_add_of_the_definition(string name, StepPhase phase, double flops)
    {
        using var folder = new TemporaryFolder();
        var model = new Model(ModelFile.Load(folder.Write("small.json", Residual)), BatchNormMode.Sync);
        LayerPart part = LayerPart.Of(model.Layers.Single(layer => layer.Name == name), phase, batch: 5, seconds: 1);

        Assert.Equal(5 * flops, part.Flops);
        Assert.Equal(flops == 0, part.Bytes > 0);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("0.main.0", 0)]
    [InlineData("0.shortcut.0", 0)]
    [InlineData("0.main.1", 2.0 * 8 * 8 * 64)]
    [InlineData("1", 2.0 * 4 * 8 * 64)]
    [InlineData("3", 2.0 * 10 * 4 * 64)]
    public void The_gradient_of_the_networks_input_counts_as_no_work(string name, double flops)
    {
        using var folder = new TemporaryFolder();
        var model = new Model(ModelFile.Load(folder.Write(
            "first.json",
            """
            {"name":"first","input":[3,8,8],"layers":[
              {"type":"residual","main":[{"type":"conv","out":8,"kernel":1},{"type":"conv","out":8,"kernel":1}],
               "shortcut":[{"type":"conv","out":8,"kernel":1}]},
              {"type":"conv","out":4,"kernel":1},{"type":"flatten"},{"type":"fullyConnected","out":10}]}
            """)), BatchNormMode.Sync);
        Layer layer = model.Layers.Single(layer => layer.Name == name);

        LayerPart part = LayerPart.Of(layer, StepPhase.BackwardData, batch: 5, seconds: 1);

        Assert.Equal(5 * flops, part.Flops);
        Assert.Equal(layer.Parameters.Count == 0, part.Bytes > 0);
        Assert.Equal(layer.Parameters.Count > 0, LayerPart.Of(layer, StepPhase.BackwardWeights, batch: 5, seconds: 1).Flops > 0);
    }

    [Fact]
    public void A_report_counts_the_work_of_every_step_but_the_gradient_of_the_input_however_long_it_took()
    {
        var model = new Model(ModelFile.Load("lenet"), BatchNormMode.Sync);
        var clock = new StepClock(model.Layers.Count);
        clock.Measure(() => { });

        var report = new LayerReport(model, CpuDevice.Instance, batch: 2, threads: 1, steps: 1, new MachinePeak(100, null, 20), clock);

        const double First = 6.0 * 25 * 28 * 28, Others = (16 * 150 * 100) + (400 * 120) + (120 * 84) + (84 * 10);
        Assert.Equal(2 * 2 * ((2 * First) + (3 * Others)), report.Flops);
    }

    [Fact]
    public void A_part_that_a_neighbour_has_done_has_no_rate()
    {
        var model = new Model(ModelFile.Load("lenet"), BatchNormMode.Sync);
        var peak = new MachinePeak(Gigaflops256: 100, Gigaflops512: null, Gigabytes: 20);
        Layer relu = model.Layers[1];

        Assert.Null(LayerPart.Of(relu, StepPhase.Forward, 128, 1e-7).ShareOfPeak(peak));
        Assert.Equal(128 * 2 * 6 * 28 * 28 * 4 / 20e9, LayerPart.Of(relu, StepPhase.Forward, 128, 1).ShareOfPeak(peak)!.Value, 1e-9);
    }

    [Fact]
    public void A_part_does_not_count_what_is_nested_in_it()
    {
        var clock = new StepClock(2);
        clock.Measure(() =>
        {
            clock.Begin(0, StepPhase.Forward);
            clock.Begin(1, StepPhase.Forward);
            Thread.Sleep(20);
            clock.End();
            clock.End();
        });

        double outer = clock.Seconds(0, StepPhase.Forward), inner = clock.Seconds(1, StepPhase.Forward);
        Assert.True(inner > 0);
        Assert.True(outer + inner <= clock.StepSeconds(), $"{outer} + {inner} > {clock.StepSeconds()}");
    }

    private static string[] Cells(string line) => [.. line.Trim().Trim('|').Split('|').Select(cell => cell.Trim())];

    private static string Text(JsonElement row, string name) => row.GetProperty(name).GetString()!;

    private static double Number(JsonElement row, string name) => row.GetProperty(name).GetDouble();
}
