using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>
/// Finds the workers that hold up a step: those that others wait for, and that have been silent, or computing without a pause, for longer
/// than whole steps take. Pure.
/// </summary>
internal sealed class StepDeadline
{
    private const int Enough = 20;
    private const double UntilMeasured = 30;
    private const double AtLeast = 5;
    private const double Medians = 5;
    private const int Remembered = 101;

    private readonly Queue<double> _seconds = [];
    private long _measured;

    /// <summary>How long a step may take before somebody is to blame: 30 s until 20 steps are measured, then max(5 s, 5 × their median).</summary>
    public double Seconds => _measured < Enough ? UntilMeasured : Math.Max(AtLeast, Medians * Median());

    public void Measure(IEnumerable<StepRow> rows)
    {
        foreach (StepRow row in rows)
        {
            _measured++;
            _seconds.Enqueue(row.Seconds);
            if (_seconds.Count > Remembered)
            {
                _seconds.Dequeue();
            }
        }
    }

    /// <param name="workers">What each has said last, and how many seconds ago.</param>
    /// <param name="sinceCommit">Seconds since the last step was committed, or since the generation was begun.</param>
    /// <returns>
    /// Those to be taken out, with the reason; none if nobody waits for them: then the machine is slow, or it is a server that holds up the step.
    /// </returns>
    public IEnumerable<(string Worker, string Reason)> Late(
        IReadOnlyCollection<(WorkerStatus Status, double Ago)> workers, double sinceCommit)
    {
        double limit = Seconds;
        if (sinceCommit <= limit || !workers.Any(worker => worker.Ago <= limit && IsWaiting(worker.Status.Phase)))
        {
            yield break;
        }

        foreach ((WorkerStatus status, double ago) in workers)
        {
            if (ago > limit)
            {
                yield return (status.Name, FormattableString.Invariant($"was silent for {ago:F1} s"));
            }
            else if (status.Phase == WorkerPhase.Computing && status.PhaseSeconds + ago > limit)
            {
                yield return (
                    status.Name,
                    FormattableString.Invariant($"computed step {status.Step} for {status.PhaseSeconds + ago:F1} s, ") +
                    FormattableString.Invariant($"while the others waited (limit {limit:F1} s)"));
            }
        }
    }

    private static bool IsWaiting(WorkerPhase phase) =>
        phase is WorkerPhase.WaitingForBatchNorm or WorkerPhase.WaitingForParameters or WorkerPhase.WaitingForPush;

    private double Median()
    {
        double[] sorted = [.. _seconds.Order()];
        return sorted[sorted.Length / 2];
    }
}
