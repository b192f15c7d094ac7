using System.Globalization;
using ConvNet.Grains.Contracts.Jobs;
using Spectre.Console;

namespace ConvNet.Client.Views;

/// <summary>A job as a picture: progress bar, numbers, and a row for each worker that there is room for.</summary>
internal static class StatusPanel
{
    /// <summary>The bar and the numbers, which are always there.</summary>
    public const int FixedRows = 2;

    private const int LongestBar = 40, ShortestBar = 8;

    /// <summary>An empty row, the heading and its rule.</summary>
    private const int TableHead = 3;

    private static readonly int _longestState = Enum.GetValues<JobState>().Max(state => state.InWords().Length);

    /// <param name="columns">Room for each row.</param>
    /// <param name="rows">Room for all of it; at least <see cref="FixedRows"/>.</param>
    public static IReadOnlyList<ScreenRow> Rows(Terminal terminal, JobStatus status, int columns, int rows) =>
    [
        Bar(terminal, status, columns),
        ScreenRow.WithNumbers(Numbers(status, columns)),
        .. status.Workers.Length == 0 ? [] : Workers(terminal, status.Workers, columns, rows - FixedRows),
    ];

    /// <summary>The bar keeps its length while the numbers and the state beside it change theirs.</summary>
    private static ScreenRow Bar(Terminal terminal, JobStatus status, int columns)
    {
        Glyphs glyphs = Glyphs.For(terminal);
        double share = status.TotalSteps > 0 ? Math.Clamp((double)status.Step / status.TotalSteps, 0, 1) : 0;
        string steps = $"{status.TotalSteps}", epochs = $"{Lines.Epochs(status)}";
        string numbers = Field.Join(
            columns - ShortestBar - 1,
            new Field(Lines.Invariant($"{100 * share,3:F0} %"), 0),
            new Field($"step {Padded(status.Step, steps)}/{steps}", 1),
            new Field($"epoch {Padded(Lines.Epoch(status), epochs)}/{epochs}", 3),
            new Field((status.State == JobState.Running ? "" : status.State.InWords()).PadRight(_longestState), 2));
        int length = Math.Clamp(columns - 1 - numbers.Length, 1, LongestBar);
        int done = (int)(share * length);
        return ScreenRow.Of(new string(glyphs.Done, done), Color.Green)
            .Add(new string(glyphs.Rest, length - done), Color.Grey)
            .Add(" ")
            .Add(numbers.TrimEnd(), status.State == JobState.Failed ? Color.Red : null);
    }

    private static string Numbers(JobStatus status, int columns)
    {
        Field[] numbers = Lines.Numbers(status);
        return Field.Join(
            columns,
            [
                .. numbers[..^1],
                new(Lines.Invariant($"learning rate {status.LearningRate:G4}"), 5),
                new(status.Generation > 1 ? $"generation {status.Generation}" : "", 6),
                numbers[^1],
            ]);
    }

    private static IEnumerable<ScreenRow> Workers(Terminal terminal, WorkerStatus[] workers, int columns, int rows)
    {
        int room = rows - TableHead;
        int shown = workers.Length <= room ? workers.Length : Math.Max(0, room - 1);
        if (shown > 0)
        {
            yield return ScreenRow.Empty;
            foreach (string line in Table(terminal, workers[..shown]).Lines(columns))
            {
                yield return ScreenRow.Of(line);
            }
        }

        if (shown < workers.Length && rows > 0)
        {
            yield return ScreenRow.Of(Summary(terminal, workers[shown..], shown > 0, columns));
        }
    }

    private static TextTable Table(Terminal terminal, WorkerStatus[] workers)
    {
        var table = new TextTable(
            terminal,
            new Column("worker", 0, IsNumber: false),
            new Column("shards", 6),
            new Column("step", 1),
            new Column("images", 7),
            new Column("compute", 2),
            new Column("batch norm", 3),
            new Column("push", 4),
            new Column("pull", 5));
        foreach (WorkerStatus worker in workers)
        {
            table.Add(
                worker.Name,
                ShortText.Shards(worker),
                ShortText.Number(worker.Step),
                ShortText.Number(worker.Samples),
                Share(worker.ComputeSeconds, worker),
                Share(worker.BatchNormSeconds, worker),
                Share(worker.PushSeconds, worker),
                Share(worker.PullSeconds, worker));
        }

        return table;
    }

    /// <summary>Workers wait for each other at every step: the slowest is the one that computes longest.</summary>
    private static string Summary(Terminal terminal, WorkerStatus[] workers, bool isRest, int columns)
    {
        Glyphs glyphs = Glyphs.For(terminal);
        WorkerStatus slowest = workers.MaxBy(worker => worker.ComputeSeconds)!;
        string count = isRest ? $"  {glyphs.Ellipsis} and {workers.Length} more worker{(workers.Length == 1 ? "" : "s")}" : $"{workers.Length} workers";
        string name = ScreenText.Cut(terminal.Printable(slowest.Name), Math.Max(8, columns / 3), glyphs);
        long first = workers.Min(worker => worker.Step), last = workers.Max(worker => worker.Step);
        return Field.Join(
            columns,
            new Field(count, 0),
            new Field(first == last ? $"at step {first}" : $"at steps {first}-{last}", 3),
            new Field($"slowest {name}", 1),
            new Field(Share(slowest.ComputeSeconds, slowest) is { Length: > 0 } share ? $"{share} compute" : "", 2));
    }

    private static string Padded(long value, string longest) => value.ToString(CultureInfo.InvariantCulture).PadLeft(longest.Length);

    private static string Share(double seconds, WorkerStatus worker)
    {
        double total = worker.ComputeSeconds + worker.BatchNormSeconds + worker.PushSeconds + worker.PullSeconds;
        return total > 0 ? Lines.Invariant($"{100 * seconds / total:F0} %") : "";
    }
}
