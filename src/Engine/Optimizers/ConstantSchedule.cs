using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Optimizers;

/// <summary>The base rate throughout.</summary>
public sealed record ConstantSchedule : LearningRateSchedule
{
    protected override double RateAfterWarmUp(double baseRate, long step, JobShape job) => baseRate;
}
