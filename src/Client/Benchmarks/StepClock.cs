using System.Diagnostics;
using ConvNet.Engine.Layers;

namespace ConvNet.Client.Benchmarks;

/// <summary>
/// Measures the parts of training steps. A part counts only for itself, not for those nested in it, so that all parts of a step add up
/// to no more than the step.
/// </summary>
/// <param name="layers">The network's layers; layer number <c>layers</c> stands for what no layer does.</param>
internal sealed class StepClock(int layers) : StepProfile
{
    private static readonly int Phases = Enum.GetValues<StepPhase>().Length;

    private readonly long[] _ticks = new long[(layers + 1) * Phases];
    private readonly List<long[]> _steps = [];
    private readonly List<long> _wholes = [];
    private readonly Stack<int> _open = new();
    private readonly Dictionary<string, (long Launches, TimeSpan Time)> _kernels = [];
    private long _mark;

    public override void Begin(int layer, StepPhase phase)
    {
        Charge();
        _open.Push((layer * Phases) + (int)phase);
    }

    public override void End()
    {
        Charge();
        _open.Pop();
    }

    public override void Ran(string family, TimeSpan time)
    {
        (long launches, TimeSpan before) = _kernels.GetValueOrDefault(family);
        _kernels[family] = (launches + 1, before + time);
    }

    /// <summary>What a device has told of its kernels: launches and seconds of a step, those that take longest first.</summary>
    public IReadOnlyList<(string Family, double Launches, double Seconds)> Kernels() =>
    [
        .. _kernels.OrderByDescending(kernel => kernel.Value.Time)
            .Select(kernel => (kernel.Key, kernel.Value.Launches / (double)_steps.Count, kernel.Value.Time.TotalSeconds / _steps.Count)),
    ];

    /// <summary>Runs one step and keeps what its parts took.</summary>
    public void Measure(Action step)
    {
        Array.Clear(_ticks);
        long start = Stopwatch.GetTimestamp();
        step();
        _wholes.Add(Stopwatch.GetTimestamp() - start);
        _steps.Add([.. _ticks]);
    }

    /// <summary>The median over the measured steps, in seconds; 0 for a part that never began.</summary>
    public double Seconds(int layer, StepPhase phase) => Median(_steps.Select(ticks => ticks[(layer * Phases) + (int)phase]));

    /// <summary>The median of whole steps.</summary>
    public double StepSeconds() => Median(_wholes);

    /// <summary>The median of what lies in no part of a step.</summary>
    public double RestSeconds() => Median(_steps.Zip(_wholes, (ticks, whole) => whole - ticks.Sum()));

    private static double Median(IEnumerable<long> ticks)
    {
        long[] sorted = [.. ticks.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2.0 / Stopwatch.Frequency;
    }

    /// <summary>The time since the last call belongs to the innermost open part.</summary>
    private void Charge()
    {
        long now = Stopwatch.GetTimestamp();
        if (_open.TryPeek(out int part))
        {
            _ticks[part] += now - _mark;
        }

        _mark = now;
    }
}
