using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>Which orders a worker carries out in one generation: each once, however often it is told, and none after a later one. Pure.</summary>
/// <param name="worker">The worker's key.</param>
internal sealed class WorkerOrders(Assignment assignment, string worker)
{
    private long _last;

    /// <param name="header">Its step is the one that the order starts with.</param>
    /// <param name="order">The job's number of the order, from 1.</param>
    public Answer Take(MessageHeader header, long order)
    {
        if (header.JobId != assignment.JobId)
        {
            return Refused($"of job '{header.JobId}', but belongs to job '{assignment.JobId}'");
        }

        if (header.Generation != assignment.Generation)
        {
            return header.Generation < assignment.Generation ? Verdict.Stale : Verdict.Future;
        }

        if (order <= _last)
        {
            return order == _last ? Verdict.Duplicate : Verdict.Stale;
        }

        if (header.Step < assignment.FirstStep)
        {
            return Refused($"for step {header.Step}, but its generation starts at step {assignment.FirstStep}");
        }

        _last = order;
        return Verdict.Accepted;
    }

    private Answer Refused(string why) => new(Verdict.Rejected, $"worker {worker} got an order {why}");
}
