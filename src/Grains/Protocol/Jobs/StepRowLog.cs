using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>The last steps of a job, each once, for those who read them with a cursor; bounded. Pure.</summary>
internal sealed class StepRowLog
{
    /// <summary>3 MB; half a minute of the smallest model, whose client must read within its lease of 10 s.</summary>
    public const int Most = 65_536;
    private const int Averaged = 50;

    private readonly Queue<StepRow> _rows = [];
    private readonly Queue<double> _seconds = [];

    /// <summary>Of the last steps; 0 if there are none.</summary>
    public double SecondsPerStep => _seconds.Count == 0 ? 0 : _seconds.Average();

    /// <summary>The step after the last row's.</summary>
    public long Next { get; private set; }

    public StepRow Last { get; private set; }

    /// <summary>Takes the rows that are new; they are in order.</summary>
    public void Add(IEnumerable<StepRow> rows)
    {
        foreach (StepRow row in rows.Where(row => row.Step >= Next))
        {
            Keep(_rows, row, Most);
            Keep(_seconds, row.Seconds, Averaged);
            Last = row;
            Next = row.Step + 1;
        }
    }

    /// <summary>The rows from a step on, as many as fit into one answer.</summary>
    public StepRow[] Since(long step) =>
        step >= Next ? [] : [.. _rows.SkipWhile(row => row.Step < step).Take(JobStatus.MostRows)];

    public void Clear() => _rows.Clear();

    private static void Keep<T>(Queue<T> queue, T item, int most)
    {
        queue.Enqueue(item);
        if (queue.Count > most)
        {
            queue.Dequeue();
        }
    }
}
