using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ConvNet.Grains.Metering;

/// <summary>How the jobs fare that this process keeps, and what it writes of them, as instruments that anybody in the process may listen to.</summary>
public static class JobMeter
{
    /// <summary>Every job is a series of its own, and a listener keeps each of them.</summary>
    private const int MostJobs = 20;

    private static readonly Meter Meter = new(WorkMeter.Name);
    private static readonly ConcurrentDictionary<string, JobFigures> Jobs = new();
    private static readonly KeyValuePair<string, object?> Train = new("split", "train");
    private static readonly KeyValuePair<string, object?> Test = new("split", "test");

    private static readonly Counter<long> Generations =
        Meter.CreateCounter<long>("convnet.generations", "{generation}", "Assignments of data shards to workers that jobs have begun.");

    private static readonly Histogram<double> Checkpoints = Meter.CreateHistogram(
        "convnet.checkpoint.duration",
        "s",
        "Time to write a checkpoint, or to restore one.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300] });

    private static readonly Counter<long> Failures = Meter.CreateCounter<long>(
        "convnet.worker.failures", "{worker}", "Workers that jobs have lost, and workers whose computation has ended with an error.");

    private static readonly Histogram<double> Recoveries = Meter.CreateHistogram(
        "convnet.recovery.duration",
        "s",
        "From the last step with a worker that left or was lost to the first without it.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120] });

    private static readonly Counter<long> Skipped = Meter.CreateCounter<long>(
        "convnet.steps.skipped", "{step}", "Steps without an update, because a value was not finite.");

    private static readonly Gauge<long> CheckpointBytes =
        Meter.CreateGauge<long>("convnet.checkpoint.bytes", description: "Tensors in the last checkpoint that was written.");

    static JobMeter()
    {
        Meter.CreateObservableGauge(
            "convnet.loss",
            () => Each(job => [(Train, job.TrainLoss), (Test, job.TestLoss)]),
            description: "Mean loss: of the epoch in progress, or of the last evaluation.");
        Meter.CreateObservableGauge(
            "convnet.accuracy.ratio",
            () => Each(job => [(Train, job.TrainAccuracy), (Test, job.TestAccuracy)]),
            description: "Share of correct samples: of the epoch in progress, or of the last evaluation.");
        Meter.CreateObservableGauge("convnet.learning.rate", () => Each(job => [(null, job.LearningRate)]), description: "Of the last step.");
        Meter.CreateObservableGauge(
            "convnet.checkpoint.age",
            () => Each(job => [(null, job.SavedAt is { } at ? Stopwatch.GetElapsedTime(at).TotalSeconds : null)]),
            "s",
            "Since the job's last checkpoint of this run.");
        Meter.CreateObservableGauge("convnet.gradient.norm", () => Each(job => [(null, job.GradientNorm)]), description: "Of the last step, before clipping.");
    }

    /// <summary>A job tells how it fares; of very many, the later ones are not shown.</summary>
    public static void Tell(string jobId, JobFigures figures)
    {
        if (Jobs.ContainsKey(jobId) || Jobs.Count < MostJobs)
        {
            Jobs[jobId] = figures;
        }
    }

    /// <summary>The job has ended a while ago.</summary>
    public static void Forget(string jobId) => Jobs.TryRemove(jobId, out _);

    public static void CountGeneration() => Generations.Add(1);

    /// <summary>A job has lost workers, other than those that left when their silo was told to stop.</summary>
    public static void AddLost(int workers) => Failures.Add(workers, new KeyValuePair<string, object?>("kind", "lost"));

    /// <summary>A worker's computation has ended with an error.</summary>
    public static void CountWorkerError() => Failures.Add(1, new KeyValuePair<string, object?>("kind", "error"));

    /// <summary>A job goes on without workers that it had.</summary>
    public static void AddRecovery(double seconds) => Recoveries.Record(seconds);

    public static void CountSkipped() => Skipped.Add(1);

    /// <param name="bytes">Of its tensors.</param>
    public static void AddSaved(double seconds, long bytes)
    {
        Checkpoints.Record(seconds, new KeyValuePair<string, object?>("phase", "save"));
        CheckpointBytes.Record(bytes);
    }

    public static void AddRestored(double seconds) => Checkpoints.Record(seconds, new KeyValuePair<string, object?>("phase", "restore"));

    private static IEnumerable<Measurement<double>> Each(Func<JobFigures, (KeyValuePair<string, object?>? Split, double? Value)[]> read) =>
        from job in Jobs
        let name = new KeyValuePair<string, object?>("job", job.Key)
        from figure in read(job.Value)
        where figure.Value is not null
        let value = figure.Value.GetValueOrDefault()
        select figure.Split is { } split ? new Measurement<double>(value, name, split) : new Measurement<double>(value, name);
}
