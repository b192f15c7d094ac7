using System.Globalization;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Views;

/// <summary>The sentences that all views share. Numbers have a point in every locale.</summary>
internal static class Lines
{
    /// <param name="columns">Room for the line; the least important numbers give way.</param>
    public static string Progress(JobStatus status, int columns) => Field.Join(
        columns, [new($"step {status.Step}/{status.TotalSteps}", 1), new($"epoch {Epoch(status)}/{Epochs(status)}", 3), .. Numbers(status)]);

    /// <summary>Loss and time left stay longest; a job that has ended has none left.</summary>
    public static Field[] Numbers(JobStatus status) =>
    [
        new(Invariant($"loss {status.TrainLoss:F4}"), 0),
        new(Invariant($"accuracy {status.TrainAccuracy:F4}"), 4),
        new(Invariant($"{status.ImagesPerSecond:F0} images/s"), 2),
        new(status.HasEnded ? "" : $"{TimeLeft(status)} left", 0),
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

    /// <summary>Who is gone, new or slow, and who goes on with what.</summary>
    public static string MembersChanged(RunEvent.MembersChanged change)
    {
        string why = change is { Lost: [var only], Joined: [] } ? change.Reason.Replace($"{only} ", "", StringComparison.Ordinal) : change.Reason;
        string lost = change.Lost.Length == 0 ? "" : $"{Names(change.Lost)} {(change.Lost.Length == 1 ? "is" : "are")} lost ({why.TrimEnd('.')})";
        string joined = change.Joined.Length == 0 ? "" : $"{Names(change.Joined)} {(change.Joined.Length == 1 ? "has" : "have")} joined";
        string noticed = change.NoticedSeconds == 0 ? "" : Invariant($"noticed after {change.NoticedSeconds:F1} s, ");
        string who = string.Join(" and ", new[] { lost, joined }.Where(part => part.Length > 0));
        if (who.Length == 0)
        {
            return $"{change.Reason}, from step {change.Step} on in generation {change.Generation} " +
                $"({noticed}{Invariant($"{change.GapSeconds:F1} s without a step")}).";
        }

        string goOn = change.Workers == 1 ? "1 worker goes on with all data shards" : $"{change.Workers} workers go on with all data shards";
        string repeated = change.StepsRepeated switch
        {
            0 => "",
            1 => ", 1 step computed again",
            _ => $", {change.StepsRepeated} steps computed again",
        };
        return $"{who}: {goOn} from step {change.Step} in generation {change.Generation} " +
            $"({noticed}{Invariant($"{change.GapSeconds:F1} s without a step")}{repeated}).";
    }

    /// <summary>Why nothing happens in a job that has no place in the cluster, or null if it has one.</summary>
    public static string? Waiting(JobStatus job) => job switch
    {
        { State: JobState.Queued, Reason: { } reason } => $"The job waits: {reason}",
        { State: JobState.Paused } => $"The job is paused{(job.Reason is { } why ? $": {why}" : ".")} Go on with 'convnet job resume {job.JobId}'.",
        { State: JobState.Orphaned } => $"The job has no client{(job.Reason is { } why ? $": {why}" : ".")} Go on with 'convnet job attach {job.JobId}'.",
        _ => null,
    };

    /// <summary>Where a job waits that has given its place up, and why.</summary>
    public static string Yielded(RunEvent.Yielded yielded) =>
        $"The job is {yielded.State.InWords()} at step {yielded.Step}: {yielded.Reason.TrimEnd('.')}.";

    public static string Resumed(RunEvent.Resumed resumed) =>
        $"The job goes on from step {resumed.Step} in generation {resumed.Generation} with {Names(resumed.Workers)}.";

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

    /// <summary>From the time of the last steps; "?" before there are any.</summary>
    public static string TimeLeft(JobStatus status) =>
        status.SecondsPerStep > 0 ? Clock(status.SecondsPerStep * (status.TotalSteps - status.Step)) : "?";

    /// <summary>The last evaluation.</summary>
    public static string Tested(JobStatus status) => status.Evaluation is { } evaluation
        ? Invariant($"test loss {evaluation.Loss:F4}  test accuracy {evaluation.Accuracy:F4} (step {evaluation.Step})")
        : "not evaluated yet";

    /// <summary>Why a job waits, or has ended as it has, behind something else; empty if there is no reason.</summary>
    public static string Why(JobStatus status) => status.Why is { } reason ? $"  {reason}" : "";

    public static string Clock(double seconds)
    {
        var time = TimeSpan.FromSeconds(Math.Min(seconds, 359_999));
        return time.TotalHours >= 1 ? $"{(int)time.TotalHours}:{time.Minutes:D2}:{time.Seconds:D2}" : $"{time.Minutes}:{time.Seconds:D2}";
    }

    private static string Names(string[] workers) => $"{(workers.Length == 1 ? "worker" : "workers")} {string.Join(", ", workers)}";

    public static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
