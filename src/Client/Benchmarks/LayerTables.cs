using System.Globalization;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;

namespace ConvNet.Client.Benchmarks;

/// <summary>Prints a layer report as Markdown tables: the parts, the layers, the sums.</summary>
internal static class LayerTables
{
    /// <summary>Parts below this share of the step are left to the table of layers.</summary>
    private const double Negligible = 0.0005;

    public static void Write(LayerReport report, TextWriter output)
    {
        output.WriteLine(Introduction(report));
        output.WriteLine();
        Parts(report).Write(output);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Parts below {100 * Negligible} % of the step are not listed; a neighbour may do such a layer's work in its own pass. " +
            $"A Winograd layer transforms its filters for forward in load, and those for backward data in backward data. Layers, in ms:"));
        output.WriteLine();
        Layers(report).Write(output);
        Sums(report).Write(output);
        if (report.Kernels.Count > 0)
        {
            Kernels(report).Write(output);
        }

        double gigaflops = report.Flops / report.Step / 1e9;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Training: {report.Batch / report.Step:F1} images/s, {gigaflops:F1} GFLOP/s{OfPeak(report, gigaflops)}."));
    }

    private static string Introduction(LayerReport report) => report.Peak is { } peak
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Model.Name}, {report.Threads} thread(s), batch {report.Batch}: medians of {report.Steps} training steps. " +
            $"Kernels ran on vectors of {VectorWidth.Bits} bits. Peak of this machine with {report.Threads} thread(s): " +
            $"{peak.Gigaflops256:F1} GFLOP/s (FMA, 256 bits), {Wide(peak)}, {peak.Gigabytes:F1} GB/s (triad).")
        : $"{report.Model.Name} on {report.Device.Description}, batch {report.Batch}: medians of {report.Steps} training steps. Each phase is waited for, " +
            "and kernels run one by one: a step takes longer here than by itself, which bench engine measures.";

    private static string OfPeak(LayerReport report, double gigaflops) => report.Peak is { } peak
        ? string.Create(CultureInfo.InvariantCulture, $", {100 * gigaflops / peak.Gigaflops:F0} % of the peak")
        : "";

    private static string Wide(MachinePeak peak) => peak.Gigaflops512 is { } gigaflops
        ? string.Create(CultureInfo.InvariantCulture, $"{gigaflops:F1} GFLOP/s (FMA, 512 bits)")
        : "no vectors of 512 bits";

    private static MarkdownTable Parts(LayerReport report)
    {
        var table = new MarkdownTable(3, "layer", "type", "phase", "ms", "GFLOP/s", "GB/s", "of peak", "of step");
        foreach (LayerPart part in report.Parts.Where(part => part.Seconds >= Negligible * report.Step))
        {
            table.Add(
                part.Layer.Name,
                report.Types[part.Layer.Name],
                PhaseName(part.Phase),
                Milliseconds(part.Seconds),
                Number(part.Gigaflops),
                Number(part.Gigabytes(report.Peak)),
                part.ShareOfPeak(report.Peak) is { } share ? Percent(share) : "",
                Percent(part.Seconds / report.Step));
        }

        return table;
    }

    private static MarkdownTable Layers(LayerReport report)
    {
        string[] phases = [.. Enum.GetValues<StepPhase>().Select(PhaseName)];
        var table = new MarkdownTable(3, ["layer", "type", "output", .. phases, "sum", "of step"]);
        foreach (IGrouping<Layer, LayerPart> layer in report.Parts.GroupBy(part => part.Layer))
        {
            double sum = layer.Sum(part => part.Seconds);
            string[] times = [.. layer.Select(part => Milliseconds(part.Seconds))];
            string[] name = [layer.Key.Name, report.Types[layer.Key.Name], layer.Key.Output.ToString()];
            table.Add([.. name, .. times, Milliseconds(sum), Percent(sum / report.Step)]);
        }

        return table;
    }

    private static MarkdownTable Sums(LayerReport report)
    {
        var table = new MarkdownTable(1, "all layers", "ms", "of step");
        void Add(string name, double seconds) => table.Add(name, Milliseconds(seconds), Percent(seconds / report.Step));
        foreach (IGrouping<StepPhase, LayerPart> phase in report.Parts.GroupBy(part => part.Phase))
        {
            Add(PhaseName(phase.Key), phase.Sum(part => part.Seconds));
        }

        Add("input", report.Input);
        Add("loss", report.Loss);
        Add("running statistics", report.Statistics);
        Add("not accounted for", report.Rest);
        Add("median of sums - sum of medians", report.Scatter);
        Add("step", report.Step);
        return table;
    }

    private static MarkdownTable Kernels(LayerReport report)
    {
        double sum = report.Kernels.Sum(kernel => kernel.Seconds);
        var table = new MarkdownTable(1, "kernels", "launches", "ms", "of all kernels");
        foreach ((string family, double launches, double seconds) in report.Kernels)
        {
            table.Add(family, launches.ToString("F0", CultureInfo.InvariantCulture), Milliseconds(seconds), Percent(seconds / sum));
        }

        return table;
    }

    private static string PhaseName(StepPhase phase) => phase switch
    {
        StepPhase.BackwardData => "backward data",
        StepPhase.BackwardWeights => "backward weights",
        _ => phase.ToString().ToLowerInvariant(),
    };

    private static string Milliseconds(double seconds) => (1e3 * seconds).ToString("F2", CultureInfo.InvariantCulture);

    private static string Number(double? value) => value?.ToString("F1", CultureInfo.InvariantCulture) ?? "";

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:F1} %");
}
