using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Tests.Runs;

/// <summary>Notes what it is told, in words.</summary>
internal sealed class NotingSink : RunSink
{
    public List<string> Seen { get; } = [];

    public Exception? Trouble { get; set; }

    /// <summary>What it has noted would be lost.</summary>
    public bool IsFull { get; set; }

    public override bool IsWritten => !IsFull;

    public override void Handle(RunEvent happened)
    {
        if (Trouble is not null)
        {
            throw Trouble;
        }

        Seen.AddRange(happened switch
        {
            RunEvent.StepsCommitted steps => steps.Rows.Select(row => $"step {row.Step}"),
            RunEvent.CheckpointSaved saved => [$"saved {saved.Checkpoint.Step}"],
            RunEvent.Warning warning => [warning.Message],
            RunEvent.Progress => [],
            _ => [happened.GetType().Name],
        });
    }
}
