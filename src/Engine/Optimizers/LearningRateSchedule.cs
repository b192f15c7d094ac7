using System.Text.Json.Serialization;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Reduction;

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
