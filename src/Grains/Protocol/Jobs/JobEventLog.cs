using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>What has happened in a job, numbered from 0, for those who read it with a cursor; bounded. Pure.</summary>
internal sealed class JobEventLog
{
    private const int Most = 10_000;

    private readonly Queue<JobEvent> _events = [];

    public long Next { get; private set; }

    public void Add(RunEvent happened)
    {
        _events.Enqueue(new JobEvent(Next++, happened));
        if (_events.Count > Most)
        {
            _events.Dequeue();
        }
    }

    /// <summary>The events from a number on.</summary>
    public JobEvent[] Since(long number) => [.. _events.SkipWhile(happened => happened.Number < number)];
}
