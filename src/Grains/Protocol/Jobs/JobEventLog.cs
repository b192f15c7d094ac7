using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>What has happened in a job, numbered from 0, for those who read it with a cursor; bounded. Pure.</summary>
internal sealed class JobEventLog
{
    private const int Most = 10_000;

    /// <summary>Who follows a job asks some times a second; who comes later reads the run folder.</summary>
    private const int Kept = 250;

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

    /// <summary>The last ones, to be kept.</summary>
    public JobEvent[] Last() => [.. _events.TakeLast(Kept)];

    /// <summary>Goes on, empty as it is, where another one was.</summary>
    public void Restore(IEnumerable<JobEvent> last, long next)
    {
        foreach (JobEvent happened in last)
        {
            _events.Enqueue(happened);
        }

        Next = next;
    }

    /// <summary>The events from a number on.</summary>
    public JobEvent[] Since(long number) => [.. _events.SkipWhile(happened => happened.Number < number)];
}
