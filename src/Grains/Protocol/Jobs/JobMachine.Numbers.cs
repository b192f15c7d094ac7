using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>What a job does about a step whose values cannot be trusted, and about workers that compute wrongly.</summary>
internal sealed partial class JobMachine
{
    private readonly HashSet<string> _expelled = [];

    /// <summary>Workers that the job takes no more: they have computed wrongly.</summary>
    public IReadOnlyCollection<string> Expelled => _expelled;

    /// <summary>The coordinator has examined the open step.</summary>
    public Answer Found(MessageHeader header, StepFinding finding, double now)
    {
        if (!IsAt(header.Generation) || _change is not null || IsWithoutWorkers || State != JobState.Running)
        {
            // Another generation is to begin anyway, and examines the step again.
            return Verdict.Stale;
        }

        if (finding.Expelled is { } worker)
        {
            Expel(worker, finding.Clause!, finding.Warning, now);
            return Verdict.Accepted;
        }

        Warn(finding.Warning);
        _members!.Rotate();
        Change(now, rotates: true);
        return Verdict.Accepted;
    }

    /// <summary>A worker has sent something else than before under the same key.</summary>
    /// <param name="reason">A sentence that says what.</param>
    public void ExpelContradicting(string worker, string reason, double now)
    {
        string clause = $"contradicts itself ({reason.TrimEnd('.')})";
        Expel(worker, clause, $"worker {worker} {clause}; its machine may be faulty: the job goes on without it, and takes it no more.", now);
    }

    /// <summary>A worker that contradicts itself, or others, is taken out for good.</summary>
    /// <param name="clause">Follows the worker's name.</param>
    public void Expel(string worker, string clause, string warning, double now)
    {
        if (!HasEnded && _expelled.Add(worker))
        {
            Warn(warning);
            Lose(worker, clause, now);
        }
    }
}
