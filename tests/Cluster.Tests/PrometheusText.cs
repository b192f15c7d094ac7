using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>The text format in which Prometheus reads metrics, parsed as strictly as it does: any line that it would refuse fails the test.</summary>
internal sealed partial class PrometheusText
{
    private readonly Dictionary<string, double> _samples = [];

    public PrometheusText(string text)
    {
        Assert.EndsWith("\n", text);
        foreach (string line in text.Split('\n').Where(line => line.Length > 0 && !line.StartsWith('#')))
        {
            Match match = Sample().Match(line);
            Assert.True(match.Success, $"no sample of a metric: {line}");
            IEnumerable<string> all = Label().Matches(match.Groups["labels"].Value).Select(label => label.Value);
            string[] labels = [.. all.Where(label => !label.StartsWith("otel_", StringComparison.Ordinal)).Order()];
            string key = labels.Length == 0 ? match.Groups["name"].Value : $"{match.Groups["name"].Value}{{{string.Join(',', labels)}}}";
            Assert.True(_samples.TryAdd(key, Number(match.Groups["value"].Value)), $"twice: {line}");
        }
    }

    /// <summary>A figure by name and labels in the order of their names, those of the library left out; 0 if there is none yet.</summary>
    public double this[string key] => _samples.GetValueOrDefault(key);

    public IEnumerable<string> Keys => _samples.Keys;

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*",?)*)\})? (?<value>[^ ]+)( -?[0-9]+)?$""")]
    private static partial Regex Sample();

    [GeneratedRegex("""[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*(?:")""")]
    private static partial Regex Label();
}
