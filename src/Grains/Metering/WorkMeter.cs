using System.Diagnostics.Metrics;

namespace ConvNet.Grains.Metering;

/// <summary>What the workers of this process have done, as instruments that anybody in the process may listen to.</summary>
public static class WorkMeter
{
    /// <summary>Name of the meter.</summary>
    public const string Name = "ConvNet.Distributed";

    private static readonly Meter Meter = new(Name);

    private static readonly Counter<long> Samples =
        Meter.CreateCounter<long>("convnet.samples", "{sample}", "Samples of acknowledged training steps, or evaluated.");

    private static readonly Histogram<double> Steps = Meter.CreateHistogram(
        "convnet.step.duration",
        "s",
        "Time of a worker's training step: it computes, or waits for batch norms, pushes and pulls.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60] });

    private static readonly KeyValuePair<string, object?> Train = new("split", "train");
    private static readonly KeyValuePair<string, object?> Test = new("split", "test");
    private static readonly KeyValuePair<string, object?> Compute = new("phase", "compute");
    private static readonly KeyValuePair<string, object?> Wait = new("phase", "wait");

    private static int _busy;

    /// <summary>Workers that jobs have taken.</summary>
    public static int Busy => Volatile.Read(ref _busy);

    public static void AddTrained(long samples) => Samples.Add(samples, Train);

    public static void AddEvaluated(long samples) => Samples.Add(samples, Test);

    /// <param name="seconds">Of the whole step.</param>
    /// <param name="waits">The part of them in which the worker waited for others.</param>
    public static void AddStep(double seconds, double waits)
    {
        Steps.Record(Math.Max(0, seconds - waits), Compute);
        Steps.Record(waits, Wait);
    }

    /// <summary>A job takes a worker, or gives it back.</summary>
    public static void Take(bool isTaken) => Interlocked.Add(ref _busy, isTaken ? 1 : -1);
}
