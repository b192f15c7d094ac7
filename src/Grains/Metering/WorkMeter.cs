using System.Diagnostics.Metrics;
using ConvNet.Grains.Contracts.Messages;

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
        "Time in a training step: a worker computes or waits for batch norms, pushes and pulls; a partition aggregates gradients or applies the update.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60] });

    private static readonly Histogram<double> Waits = Meter.CreateHistogram(
        "convnet.wait.duration",
        "s",
        "What a worker waits for in a training step: batch norms, acknowledgements of its gradients, or parameters.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60] });

    private static readonly Counter<long> Bytes = Meter.CreateCounter<long>(
        "convnet.gradient.bytes", description: "Gradients that workers have pushed to partitions, and parameters that they have pulled from them.");

    private static readonly Counter<long> Rejected = Meter.CreateCounter<long>(
        "convnet.gradients.rejected", "{message}", "Messages with gradients that partitions have not added.");

    private static readonly KeyValuePair<string, object?> Train = new("split", "train");
    private static readonly KeyValuePair<string, object?> Test = new("split", "test");
    private static readonly KeyValuePair<string, object?> Compute = new("phase", "compute");
    private static readonly KeyValuePair<string, object?> Wait = new("phase", "wait");
    private static readonly KeyValuePair<string, object?> Aggregate = new("phase", "aggregate");
    private static readonly KeyValuePair<string, object?> Apply = new("phase", "apply");
    private static readonly KeyValuePair<string, object?> BatchNorm = new("for", "batch_norm");
    private static readonly KeyValuePair<string, object?> ForPush = new("for", "push");
    private static readonly KeyValuePair<string, object?> ForPull = new("for", "pull");
    private static readonly KeyValuePair<string, object?> Push = new("direction", "push");
    private static readonly KeyValuePair<string, object?> Pull = new("direction", "pull");

    private static int _busy;

    /// <summary>Workers that jobs have taken.</summary>
    public static int Busy => Volatile.Read(ref _busy);

    public static void AddTrained(long samples) => Samples.Add(samples, Train);

    public static void AddEvaluated(long samples) => Samples.Add(samples, Test);

    /// <param name="seconds">Of a worker's whole step.</param>
    /// <param name="batchNorm">The part of them in which it waited for batch norms.</param>
    /// <param name="push">For its gradients to be taken.</param>
    /// <param name="pull">For parameters.</param>
    public static void AddStep(double seconds, double batchNorm, double push, double pull)
    {
        double waits = Math.Min(seconds, batchNorm + push + pull);
        Steps.Record(Math.Max(0, seconds - waits), Compute);
        Steps.Record(waits, Wait);
        Waits.Record(batchNorm, BatchNorm);
        Waits.Record(push, ForPush);
        Waits.Record(pull, ForPull);
    }

    /// <summary>A partition has applied a step.</summary>
    /// <param name="aggregate">Seconds in which it took and added the gradients.</param>
    /// <param name="apply">Seconds of the update.</param>
    public static void AddApplied(double aggregate, double apply)
    {
        Steps.Record(aggregate, Aggregate);
        Steps.Record(apply, Apply);
    }

    /// <summary>A partition has acknowledged gradients of a worker.</summary>
    public static void AddPushed(int floats) => Bytes.Add(floats * sizeof(float), Push);

    /// <summary>A worker has received parameters.</summary>
    public static void AddPulled(int floats) => Bytes.Add(floats * sizeof(float), Pull);

    /// <summary>Counts a message with gradients if a partition did not take it into account; one that comes too early is sent again, and no such.</summary>
    public static void CountPush(Verdict verdict)
    {
        string? reason = verdict switch
        {
            Verdict.Duplicate => "duplicate",
            Verdict.Conflict => "conflict",
            Verdict.Stale => "stale",
            Verdict.AlreadyApplied => "applied",
            Verdict.Rejected => "malformed",
            _ => null,
        };
        if (reason is not null)
        {
            Rejected.Add(1, new KeyValuePair<string, object?>("reason", reason));
        }
    }

    /// <summary>A job takes a worker, or gives it back.</summary>
    public static void Take(bool isTaken) => Interlocked.Add(ref _busy, isTaken ? 1 : -1);
}
