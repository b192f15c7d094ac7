using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>
/// How a step is examined before it is decided. Values that are not finite are computed once more, by other workers: what differs then is the
/// fault of a machine, and what does not is arithmetic. The same for any layout, so that the decision is, too.
/// </summary>
public sealed partial class CoordinatorMachine
{
    private const int MostSkipsInARow = 3;

    /// <summary>Times that one step is computed again because of its values, if nobody is taken out meanwhile.</summary>
    private const int MostRepeats = 5;

    /// <summary>Who was the first to send something that is not finite, in each computation of the open step so far; null: only the sum was not.</summary>
    private readonly List<string?> _suspects = [];
    private int _repeats;
    private bool _isExamined;

    /// <summary>The open step is complete: what must happen before it can be decided.</summary>
    /// <returns>Null if it can be decided; or, with <see cref="Failure"/> set, if it never can.</returns>
    private StepFinding? Examine(NonFiniteSource? bad)
    {
        if (_reports.FindDisagreement() is { } disagreement)
        {
            return Judge(disagreement, Position.Step);
        }

        if (bad is null || IsConfirmed(bad))
        {
            return null;
        }

        _suspects.Add(bad.Worker);
        return Repeat($"step {Position.Step} has a value that is not finite: {bad}");
    }

    /// <summary>Two workers, or the only one twice, have found the same.</summary>
    private bool IsConfirmed(NonFiniteSource bad) => _suspects.Count > 0
        && (bad.Worker is null || _fence.Assignment!.Workers.Length == 1 || _suspects.Any(suspect => suspect != bad.Worker) || _repeats >= MostRepeats);

    /// <summary>
    /// A decided step has come to other sums than the first time. The decision counts: whoever differs from it is taken out, once it is known who does, and
    /// the step runs again. The server does not take the decision with these sums.
    /// </summary>
    private CoordinatorAnswer ExamineAgain(string server, long step, Disagreement? disagreement)
    {
        if (disagreement is null)
        {
            return new CoordinatorAnswer(new Answer(
                Verdict.Conflict,
                $"{server} has summed step {step} again with other values than before the workers changed: " +
                "a worker has computed or sent something else than the first time."));
        }

        if (_isExamined)
        {
            return new CoordinatorAnswer(Verdict.Stale, Failure: Failure);
        }

        StepFinding? finding = Judge(disagreement, step);
        _isExamined = true;
        return new CoordinatorAnswer(Verdict.Stale, Failure: Failure, Finding: finding);
    }

    private StepFinding? Judge(Disagreement disagreement, long step)
    {
        string claimants = disagreement.Workers;
        if (ClaimJudge.FindWrong(disagreement.Claims) is { } wrong)
        {
            ForgetSuspects();
            string evidence = claimants == wrong ? "it does not get the same bits twice" : "others show";
            string clause = $"has computed {disagreement} of step {step} wrongly, as {evidence}";
            return new StepFinding(
                wrong, clause, $"worker {wrong} {clause}; its machine may be faulty: the job goes on without it, and takes it no more.");
        }

        bool canAsk = _fence.Assignment!.Workers.Any(worker => disagreement.Claims.All(claim => claim.Worker != worker.Name));
        if (canAsk && _repeats < MostRepeats)
        {
            return Repeat($"workers {claimants} do not get the same bits in {disagreement} of step {step}");
        }

        Failure = $"workers {claimants} do not get the same bits in {disagreement} of step {step}, and there is no other worker to tell which of them " +
            "is wrong; a machine is faulty: check both, or resume with more workers.";
        return null;
    }

    private StepFinding Repeat(string why)
    {
        _repeats++;
        string who = _fence.Assignment!.Workers.Length == 1 ? "by the same worker, the only one" : "with its data shards at other workers";
        return new StepFinding(null, null, $"{why}; it is computed once more, {who}.");
    }

    /// <returns>Why the job ends with a step that has values that are not finite, or null if it is skipped.</returns>
    private string? WhyEnd(NonFiniteSource bad)
    {
        const string Advice = "Lower the learning rate (--learning-rate), warm it up (-s schedule.warmupSteps=N), or clip the gradients (-s train.clipNorm=X)";
        long step = Position.Step;
        return _nonFinite == NonFinitePolicy.Stop
            ? $"step {step} has a value that is not finite: {bad}. {Advice}, or let such steps be skipped (-s train.nonFinite=skip)."
            : Position.SkipsInARow + 1 == MostSkipsInARow
                ? $"{MostSkipsInARow} steps in a row had values that are not finite; the last was step {step}: {bad}. {Advice}."
                : null;
    }

    /// <summary>The next computation of a step is the first one that counts.</summary>
    private void ForgetSuspects()
    {
        _suspects.Clear();
        _repeats = 0;
    }
}
