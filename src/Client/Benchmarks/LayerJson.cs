using System.Text.Json;
using System.Text.Json.Nodes;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;

namespace ConvNet.Client.Benchmarks;

/// <summary>Prints a layer report as JSON lines: the peak where it is known, every part that took time, a device's kernels, and the totals.</summary>
internal static class LayerJson
{
    public static void Write(LayerReport report, TextWriter output)
    {
        if (report.Peak is { } peak)
        {
            output.WriteLine(Peak(report, peak).ToJsonString());
        }

        foreach (LayerPart part in report.Parts.Where(part => part.Seconds > 0))
        {
            output.WriteLine(Part(report, part).ToJsonString());
        }

        foreach ((string family, double launches, double seconds) in report.Kernels)
        {
            output.WriteLine(new JsonObject
            {
                ["row"] = "kernels",
                ["family"] = family,
                ["launches"] = launches,
                ["milliseconds"] = 1e3 * seconds,
            }.ToJsonString());
        }

        output.WriteLine(Total(report).ToJsonString());
    }

    private static JsonObject Peak(LayerReport report, MachinePeak peak) => new()
    {
        ["row"] = "peak",
        ["threads"] = report.Threads,
        ["vectorBits"] = VectorWidth.Bits,
        ["gigaflopsPerSecond"] = peak.Gigaflops,
        ["gigaflopsPerSecond256"] = peak.Gigaflops256,
        ["gigaflopsPerSecond512"] = peak.Gigaflops512,
        ["gigabytesPerSecond"] = peak.Gigabytes,
    };

    private static JsonObject Part(LayerReport report, LayerPart part) => new()
    {
        ["row"] = "part",
        ["layer"] = part.Layer.Name,
        ["type"] = report.Types[part.Layer.Name],
        ["output"] = new JsonArray(part.Layer.Output.C, part.Layer.Output.H, part.Layer.Output.W),
        ["phase"] = CamelCase(part.Phase),
        ["milliseconds"] = 1e3 * part.Seconds,
        ["gigaflopsPerSecond"] = part.Gigaflops,
        ["gigabytesPerSecond"] = part.Gigabytes(report.Peak),
        ["shareOfPeak"] = part.ShareOfPeak(report.Peak),
        ["shareOfStep"] = part.Seconds / report.Step,
    };

    private static JsonObject Total(LayerReport report)
    {
        var total = new JsonObject
        {
            ["row"] = "total",
            ["model"] = report.Model.Name,
            ["device"] = report.Device.Name,
            ["batch"] = report.Batch,
            ["steps"] = report.Steps,
        };
        foreach (IGrouping<StepPhase, LayerPart> phase in report.Parts.GroupBy(part => part.Phase))
        {
            total[$"{CamelCase(phase.Key)}Milliseconds"] = 1e3 * phase.Sum(part => part.Seconds);
        }

        total["inputMilliseconds"] = 1e3 * report.Input;
        total["lossMilliseconds"] = 1e3 * report.Loss;
        total["statisticsMilliseconds"] = 1e3 * report.Statistics;
        total["restMilliseconds"] = 1e3 * report.Rest;
        total["scatterMilliseconds"] = 1e3 * report.Scatter;
        total["stepMilliseconds"] = 1e3 * report.Step;
        total["imagesPerSecond"] = report.Batch / report.Step;
        total["gigaflopsPerSecond"] = report.Flops / report.Step / 1e9;
        return total;
    }

    private static string CamelCase(StepPhase phase) => JsonNamingPolicy.CamelCase.ConvertName(phase.ToString());
}
