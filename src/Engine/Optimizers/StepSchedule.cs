using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Optimizers;

/// <summary>
/// The base rate times a factor for every drop so far. Drops come at the listed milestones (epochs), or every so many epochs, or
/// every so many steps; both counts include the warm-up.
/// </summary>
public sealed record StepSchedule : LearningRateSchedule
{
    public double Factor { get; init; } = 0.1;

    /// <summary>Epochs at whose start the rate drops; if there are any, the other two do not count.</summary>
    public IReadOnlyList<int> Milestones { get; init; } = [];

    /// <summary>0 = not used.</summary>
    public int EveryEpochs { get; init; }

    /// <summary>0 = not used.</summary>
    public long EverySteps { get; init; }

    public override void Validate()
    {
        base.Validate();
        Require(Factor is > 0 and <= 1, FormattableString.Invariant($"factor is {Factor}, but must be above 0 and at most 1"));
        Require(
            Milestones.Count > 0 || EveryEpochs > 0 || EverySteps > 0,
            "type 'step' needs milestones, everyEpochs or everySteps above 0");
    }

    protected override double RateAfterWarmUp(double baseRate, long step, JobShape job)
    {
        int epoch = job.EpochOf(step);
        long drops = Milestones.Count > 0 ? Milestones.Count(milestone => epoch >= milestone)
            : EveryEpochs > 0 ? epoch / EveryEpochs
            : step / EverySteps;
        double rate = baseRate;
        for (long drop = 0; drop < drops && rate > 0; drop++)
        {
            rate *= Factor;
        }

        return rate;
    }
}
