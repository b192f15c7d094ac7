using System.Text.Json;
using System.Text.Json.Nodes;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;

namespace ConvNet.Client.Benchmarks;

/// <summary>Prints a layer report as JSON lines: the peak, every part that took time, and the totals.</summary>
internal static class LayerJson
{
    public static void Write(LayerReport report, TextWriter output)
    {
        output.WriteLine(new JsonObject
        {
            ["row"] = "peak",
            ["threads"] = report.Threads,
            ["vectorBits"] = VectorWidth.Bits,
            ["gigaflopsPerSecond"] = report.Peak.Gigaflops,
            ["gigaflopsPerSecond256"] = report.Peak.Gigaflops256,
            ["gigaflopsPerSecond512"] = report.Peak.Gigaflops512,
            ["gigabytesPerSecond"] = report.Peak.Gigabytes,
        }.ToJsonString());
        foreach (LayerPart part in report.Parts.Where(part => part.Seconds > 0))
        {
            output.WriteLine(Part(report, part).ToJsonString());
        }

        output.WriteLine(Total(report).ToJsonString());
    }

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
        var total = new JsonObject { ["row"] = "total", ["model"] = report.Model.Name, ["batch"] = report.Batch, ["steps"] = report.Steps };
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
