using ConvNet.Engine.Numerics;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Optimizers;

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
