using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>The rows of a job's last steps, put together from the coordinator's increments. Pure.</summary>
public sealed class StepRows
{
    private const int Most = 2000;

    private readonly Queue<StepRow> _rows = [];

    /// <summary>In the order of steps, at most 2,000.</summary>
    public StepRow[] All => [.. _rows];

    /// <summary>The row of the newest step; zeros before there is one.</summary>
    public StepRow Last { get; private set; }

    /// <summary>Appends the rows of steps that are not known yet: an increment may come again, and steps run again from a checkpoint.</summary>
    /// <param name="rows">In the order of steps.</param>
    public void Add(IEnumerable<StepRow> rows)
    {
        foreach (StepRow row in rows.Where(row => _rows.Count == 0 || row.Step > Last.Step))
        {
            Last = row;
            _rows.Enqueue(row);
            if (_rows.Count > Most)
            {
                _rows.Dequeue();
            }
        }
    }
}
