using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>
/// Whose turn it is among the jobs that wait for workers: strictly by priority, then in the order of submission; nobody overtakes one that needs
/// more workers. It knows only who has asked lately, so that nothing waits for a job that is gone. Pure.
/// </summary>
internal sealed class JobQueue
{
    /// <summary>Without a question; jobs ask twice a second.</summary>
    public const double Patience = 3;

    private readonly Dictionary<string, (QueuedJob Job, double At)> _waiting = [];

    /// <summary>Takes workers now, if there are enough: two at once would take them from each other.</summary>
    private string? _served;

    public QueueTurn Ask(QueuedJob job, double now)
    {
        Forget(now);
        _waiting[job.JobId] = (job, now);
        QueuedJob[] order =
        [
            .. _waiting.Values.Select(waiting => waiting.Job).OrderByDescending(waiting => waiting.Priority).ThenBy(waiting => waiting.Number)
                .ThenBy(waiting => waiting.JobId, StringComparer.Ordinal),
        ];
        int ahead = Array.IndexOf(order, job);
        if (_served == job.JobId && ahead > 0)
        {
            _served = null;
        }

        return new QueueTurn(ahead + 1, WhyNot(job.JobId, order, ahead));
    }

    public void Leave(string jobId)
    {
        _waiting.Remove(jobId);
        _served = _served == jobId ? null : _served;
    }

    /// <summary>A job that has workers takes more only from those that it goes before.</summary>
    public bool MayGrow(int priority, double now)
    {
        Forget(now);
        return _waiting.Values.All(waiting => waiting.Job.Priority < priority);
    }

    /// <returns>Null: it is this job's turn.</returns>
    private string? WhyNot(string jobId, QueuedJob[] order, int ahead)
    {
        if (ahead > 0)
        {
            QueuedJob first = order[0];
            string others = ahead == 1 ? "is" : $"and {ahead - 1} more are";
            return $"waits for workers: job '{first.JobId}' of priority {first.Priority} {others} ahead of it.";
        }

        if (_served is not null && _served != jobId)
        {
            return $"waits for workers: job '{_served}' is just looking for its own.";
        }

        _served = jobId;
        return null;
    }

    private void Forget(double now)
    {
        foreach (string gone in _waiting.Where(waiting => now - waiting.Value.At > Patience).Select(waiting => waiting.Key).ToList())
        {
            Leave(gone);
        }
    }
}
