using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using Xunit;

namespace ConvNet.Gpu.Tests.Layers;

/// <summary>The rest of the job: it has no shards of its own, and remembers what it was told, in order.</summary>
internal sealed class TwinExchange : StepExchange
{
    private readonly List<string> _told = [];
    private readonly List<double> _values = [];

    public override void Pull(Parameter parameter) => _told.Add($"pull {parameter.Name}");

    public override void GradientReady(Parameter parameter) => _told.Add($"ready {parameter.Name}");

    /// <summary>Sums that somebody has waited for.</summary>
    public int Waits { get; private set; }

    public override Moments ReduceMoments(int norm, Moments[] roots)
    {
        Waits++;
        ReportMoments(norm, roots);
        return roots.Aggregate(Moments.Combine);
    }

    public override BackwardSums ReduceBackwardSums(int norm, BackwardSums[] roots)
    {
        Waits++;
        ReportBackwardSums(norm, roots);
        return roots.Aggregate(BackwardSums.Combine);
    }

    public override void ReportBackwardSums(int norm, BackwardSums[] roots)
    {
        _told.Add($"sums {norm}");
        foreach (BackwardSums root in roots)
        {
            _values.AddRange([.. root.Dy, .. root.DyXhat]);
        }
    }

    public override void ReportMoments(int norm, Moments[] roots)
    {
        _told.Add($"moments {norm}");
        foreach (Moments root in roots)
        {
            _values.AddRange([root.Count, .. root.Mean, .. root.M2]);
        }
    }

    public void AssertSame(TwinExchange other)
    {
        Assert.Equal(Pulls, other.Pulls);
        Assert.Equal(Readies, other.Readies);
        Assert.Equal(Sums, other.Sums);
        Assert.Equal(_values.Select(BitsOf), other._values.Select(BitsOf));
    }

    private IEnumerable<string> Pulls => Told("pull");

    /// <summary>A device's gradients may come later than the sums of batch norms that follow.</summary>
    private IEnumerable<string> Readies => Told("ready");

    /// <summary>Those of a whole batch may come later than pulls that follow.</summary>
    private IEnumerable<string> Sums => _told.Where(word => !Is(word, "pull") && !Is(word, "ready"));

    private IEnumerable<string> Told(string kind) => _told.Where(word => Is(word, kind));

    private static bool Is(string word, string kind) => word.StartsWith(kind, StringComparison.Ordinal);

    private static long BitsOf(double value) => double.IsNaN(value) ? -1 : BitConverter.DoubleToInt64Bits(value);
}
