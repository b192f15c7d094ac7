using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>The step at which the next generation of a job starts, from where its frozen servers stand.</summary>
public static class FirstStep
{
    /// <summary>
    /// The lowest version: servers that are one step ahead keep it, and the coordinator tells the others its decision again when the step
    /// has run again. Only a checkpoint helps if a server has lost its state, or if versions and decisions do not fit together.
    /// </summary>
    /// <param name="coordinator">Its version is the number of decided steps.</param>
    /// <param name="servers">All partitions and the batch norms.</param>
    /// <returns>
    /// The step, or null and a sentence that says why there is none; and the last decision, if a server has taken it and the coordinator does not know it,
    /// as it was another one that made it.
    /// </returns>
    public static (long? Step, string? Reason, StepDecision? Missed) Choose(FrozenAt coordinator, IReadOnlyCollection<FrozenAt> servers)
    {
        foreach (FrozenAt frozen in servers.Prepend(coordinator))
        {
            if (frozen.Answer.Verdict != Verdict.Accepted)
            {
                return (null, frozen.Answer.Reason ?? $"a server has not frozen, because a newer generation is promised ({frozen.Answer.Verdict}).", null);
            }
        }

        StepDecision? missed = servers.FirstOrDefault(server => server.Last is { Numbers: not null } last && last.Step == coordinator.Version).Last;
        long decided = coordinator.Version + (missed is null ? 0 : 1);
        long[] versions = [.. servers.Select(server => server.Version).Where(version => version != FrozenAt.Stateless)];
        return versions.All(version => version == decided || version == decided - 1)
            ? (versions.Append(decided).Min(), null, missed)
            : (null, $"{decided} steps are decided, but the servers are at versions {string.Join(", ", versions)}; only the last step can run again.", null);
    }
}
