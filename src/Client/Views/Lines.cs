using System.Globalization;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Views;

/// <summary>The sentences that all views share. Numbers have a point in every locale.</summary>
internal static class Lines
{
    /// <param name="columns">Room for the line; the least important numbers give way.</param>
    public static string Progress(JobStatus status, int columns) => Field.Join(
        columns, [new($"step {status.Step}/{status.TotalSteps}", 1), new($"epoch {Epoch(status)}/{Epochs(status)}", 3), .. Numbers(status)]);

    /// <summary>Loss and time left stay longest.</summary>
    public static Field[] Numbers(JobStatus status) =>
    [
        new(Invariant($"loss {status.TrainLoss:F4}"), 0),
        new(Invariant($"accuracy {status.TrainAccuracy:F4}"), 4),
        new(Invariant($"{status.ImagesPerSecond:F0} images/s"), 2),
        new($"{TimeLeft(status)} left", 0),
    ];

    /// <param name="columns">Room for the line; the least important numbers give way.</param>
    public static string EpochCompleted(RunEvent.EpochCompleted epoch, int columns) => Field.Join(
        columns,
        new Field($"epoch {epoch.Epoch}/{epoch.Epochs}", 0),
        new Field($"step {epoch.Evaluation.Step}", 4),
        new Field(Invariant($"train loss {epoch.TrainLoss:F4}"), 3),
        new Field(Invariant($"test loss {epoch.Evaluation.Loss:F4}"), 2),
        new Field(Invariant($"test accuracy {epoch.Evaluation.Accuracy:F4}"), 1),
        new Field(Invariant($"{epoch.ImagesPerSecond:F0} images/s"), 5));

    /// <summary>What happened, and the commands to go on with.</summary>
    public static IEnumerable<string> Ended(RunEvent.Ended ended)
    {
        RunSummary summary = ended.Summary;
        string where = Path.GetRelativePath(Environment.CurrentDirectory, ended.Folder);
        where = where.StartsWith("..", StringComparison.Ordinal) ? ended.Folder : where;
        string name = where.Contains(' ', StringComparison.Ordinal) ? $"'{where}'" : where;
        if (summary.TestAccuracy is { } accuracy)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"Trained {summary.Steps} steps. Test accuracy {accuracy:F4}. State {summary.StateSha256[..Math.Min(16, summary.StateSha256.Length)]}.");
            yield return $"Evaluate it again:  ./convnet eval {name}";
        }
        else
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"Stopped after {summary.Steps} steps. State {summary.StateSha256[..Math.Min(16, summary.StateSha256.Length)]}.");
            yield return $"Go on:              ./convnet resume {name}";
            yield return $"Evaluate it:        ./convnet eval {name}";
        }

        yield return $"Check its files:    ./convnet checkpoint verify {name}";
    }

    public static long Epoch(JobStatus status) => Math.Min(Epochs(status), status.Step / Math.Max(1, status.StepsPerEpoch) + 1);

    public static long Epochs(JobStatus status) => (status.TotalSteps + status.StepsPerEpoch - 1) / Math.Max(1, status.StepsPerEpoch);

    /// <summary>From the images per second so far; "?" before there is a rate.</summary>
    public static string TimeLeft(JobStatus status)
    {
        long samples = status.Workers.Sum(worker => worker.Samples);
        long stepsHere = status.Workers.Select(worker => worker.Step).DefaultIfEmpty(0).Max();
        double perStep = stepsHere > 0 && status.RecentSteps.Length > 0 ? AverageSeconds(status) : 0;
        return perStep > 0 && samples > 0 ? Clock(perStep * (status.TotalSteps - status.Step)) : "?";
    }

    public static string Clock(double seconds)
    {
        var time = TimeSpan.FromSeconds(Math.Min(seconds, 359_999));
        return time.TotalHours >= 1 ? $"{(int)time.TotalHours}:{time.Minutes:D2}:{time.Seconds:D2}" : $"{time.Minutes}:{time.Seconds:D2}";
    }

    public static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    private static double AverageSeconds(JobStatus status) => status.RecentSteps.TakeLast(200).Average(row => row.Seconds);
}
