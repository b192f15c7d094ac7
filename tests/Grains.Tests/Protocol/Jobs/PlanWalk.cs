using System.Globalization;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>Walks a plan to its end in no time, and notes what it does besides training.</summary>
internal sealed class PlanWalk
{
    private readonly JobPlan _plan;
    private readonly long _totalSteps;
    private double _now;

    public PlanWalk(TrainingPlan plan, long totalSteps = 25, long startStep = 0)
    {
        _plan = new JobPlan(plan, totalSteps, startStep, _now);
        _totalSteps = totalSteps;
        Step = startStep;
    }

    public JobPlan Plan => _plan;

    public long Step { get; private set; }

    public double SecondsPerStep { get; init; } = 0.2;

    /// <summary>Seconds that pass in each slice.</summary>
    public double SliceSeconds { get; init; } = 1;

    /// <summary>Called before each slice, with the step at which it ends.</summary>
    public Action<long> BeforeSlice { get; init; } = _ => { };

    public List<long> Slices { get; } = [];

    public List<string> Done { get; } = [];

    public List<CheckpointRetention> Retentions { get; } = [];

    /// <returns>All that was done besides training.</returns>
    public string[] ToEnd()
    {
        for (int actions = 0; actions < 10_000; actions++)
        {
            switch (_plan.Next(Step, SecondsPerStep, _now))
            {
                case JobAction.Run run:
                    BeforeSlice(run.UntilStep);
                    Slices.Add(run.UntilStep - Step);
                    Step = run.UntilStep;
                    _now += SliceSeconds;
                    break;
                case JobAction.Evaluate:
                    Done.Add(Invariant($"evaluate {Step}"));
                    _plan.Evaluated(new EvaluationResult(Step, 100, 0.25, 0.5));
                    break;
                case JobAction.Save save:
                    Done.Add(Invariant($"save {Step}{(save.IsFinal ? " as final" : "")}"));
                    Retentions.Add(_plan.Retention());
                    _plan.Writes(Step, _now);
                    _plan.Saved(new CheckpointResult("here", Step, "aa", "bb"), save.IsFinal);
                    break;
                case JobAction.End end:
                    Done.Add($"end {end.State}");
                    return [.. Done];
            }
        }

        throw new InvalidOperationException($"no end at step {Step} of {_totalSteps} after {string.Join(", ", Done)}");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
