using System.Globalization;
using System.Text;

namespace ConvNet.Cluster.Tests;

/// <summary>How soon faults were noticed, over and told, by kind.</summary>
internal static class FaultTable
{
    /// <returns>A table in Markdown: median and 95th percentile in seconds, and the target.</returns>
    public static string Of(IReadOnlyCollection<FaultFigures> figures)
    {
        var table = new StringBuilder(
            """
            | kind | runs | noticed p50 / p95 (target) | gap as told p50 / p95 | gap as seen p50 / p95 (target) | said p50 / p95 (target) |
            |---|---:|---|---|---|---|

            """);
        foreach (IGrouping<FaultKind, FaultFigures> kind in figures.GroupBy(figure => figure.Kind).OrderBy(kind => Array.IndexOf(FaultKind.All, kind.Key)))
        {
            table.Append(CultureInfo.InvariantCulture, $"| {kind.Key.Name} | {kind.Count()} ")
                .Append(CultureInfo.InvariantCulture, $"| {Cell(kind.Select(run => run.Noticed), kind.Key.Noticed)} ")
                .Append(CultureInfo.InvariantCulture, $"| {Cell(kind.Select(run => run.GapTold), null)} ")
                .Append(CultureInfo.InvariantCulture, $"| {Cell(kind.Select(run => run.GapSeen), kind.Key.Gap)} ")
                .Append(CultureInfo.InvariantCulture, $"| {Cell(kind.Select(run => run.Said), kind.Key.Said)} |\n");
        }

        return table.ToString();
    }

    private static string Cell(IEnumerable<double?> seconds, double? target)
    {
        double[] sorted = [.. seconds.OfType<double>().Order()];
        return sorted.Length == 0 ? "–" : string.Create(
            CultureInfo.InvariantCulture, $"{At(sorted, 0.5):F1} / {At(sorted, 0.95):F1}{(target is { } most ? $" ({most:F0})" : "")}");
    }

    private static double At(double[] sorted, double share) => sorted[(int)Math.Min(sorted.Length - 1, Math.Floor(sorted.Length * share))];
}
