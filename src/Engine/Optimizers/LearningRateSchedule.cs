using System.Text.Json.Serialization;
using ConvNet.Engine.Data;

namespace ConvNet.Engine.Optimizers;

/// <summary>The learning rate of each step: a pure function of the step and the job's shape, so that resume needs no state.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ConstantSchedule), "constant")]
[JsonDerivedType(typeof(StepSchedule), "step")]
[JsonDerivedType(typeof(CosineSchedule), "cosine")]
public abstract record LearningRateSchedule
{
    /// <summary>Steps in front over which the rate grows in equal parts: step t &lt; warm-up has (t + 1)/warm-up of the base rate.</summary>
    public long WarmUpSteps { get; init; }

    /// <param name="baseRate">The optimizer's learning rate.</param>
    /// <param name="step">From 0.</param>
    public double RateOf(double baseRate, long step, JobShape job) =>
        step < WarmUpSteps ? baseRate * (step + 1) / WarmUpSteps : RateAfterWarmUp(baseRate, step, job);

    /// <summary>Throws a <see cref="ConvNetException"/> that names the first option out of range.</summary>
    public virtual void Validate() => Require(WarmUpSteps >= 0, FormattableString.Invariant($"warmUpSteps is {WarmUpSteps}, but must be at least 0"));

    protected abstract double RateAfterWarmUp(double baseRate, long step, JobShape job);

    private protected static void Require(bool holds, string complaint)
    {
        if (!holds)
        {
            throw ConvNetException.BadInput($"learning-rate schedule: {complaint}.");
        }
    }
}

/// <summary>The base rate throughout.</summary>
public sealed record ConstantSchedule : LearningRateSchedule
{
    protected override double RateAfterWarmUp(double baseRate, long step, JobShape job) => baseRate;
}

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

/// <summary>
/// Half a cosine from the base rate to a minimum over the steps after the warm-up: step T itself, which does not run, would have
/// the minimum. Source: Loshchilov, Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017), without restarts.
/// </summary>
public sealed record CosineSchedule : LearningRateSchedule
{
    public double MinimumRate { get; init; }

    public override void Validate()
    {
        base.Validate();
        Require(MinimumRate >= 0, FormattableString.Invariant($"minimumRate is {MinimumRate}, but must be at least 0"));
    }

    protected override double RateAfterWarmUp(double baseRate, long step, JobShape job)
    {
        double done = (double)(step - WarmUpSteps) / (job.TotalSteps - WarmUpSteps);
        return MinimumRate + (baseRate - MinimumRate) * (0.5 * (1 + DeterministicMath.Cos(DeterministicMath.Pi * done)));
    }
}
