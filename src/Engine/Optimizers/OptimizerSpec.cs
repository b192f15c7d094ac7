using System.Text.Json.Serialization;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Parameters;

namespace ConvNet.Engine.Optimizers;

/// <summary>
/// How weights follow gradients, as data. The update itself is elementwise and pure: it runs on the parameter servers, block by
/// block, and gives the same bits wherever the blocks lie. Semantics as in PyTorch.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Sgd), "sgd")]
[JsonDerivedType(typeof(Adam), "adam")]
[JsonDerivedType(typeof(AdamW), "adamw")]
[JsonDerivedType(typeof(Lars), "lars")]
public abstract record OptimizerSpec
{
    /// <summary>The base learning rate; a <see cref="LearningRateSchedule"/> turns it into the rate of a step.</summary>
    public double LearningRate { get; init; } = 0.01;

    /// <summary>Applied to all parameters, after clipping.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Names of the state tensors that stand beside every parameter, at most two; all start at zero.</summary>
    [JsonIgnore]
    public abstract IReadOnlyList<string> SlotNames { get; }

    /// <summary>True if the coordinator needs the norm of each weight tensor before it can settle a step.</summary>
    [JsonIgnore]
    public virtual bool NeedsWeightNorms => false;

    /// <summary>Throws a <see cref="ConvNetException"/> that names the first option out of range.</summary>
    public virtual void Validate()
    {
        Require(double.IsFinite(LearningRate) && LearningRate >= 0, "learningRate", LearningRate, "a number of at least 0");
        Require(double.IsFinite(WeightDecay) && WeightDecay >= 0, "weightDecay", WeightDecay, "a number of at least 0");
    }

    /// <summary>Bias corrections of the n-th applied update (n from 1): 1 − β1^n and √(1 − β2^n); (1, 1) if there are none.</summary>
    public virtual (double First, double SecondRoot) BiasCorrections(long update) => (1, 1);

    /// <summary>The factor of a tensor's update, from the clipped gradient's norm and the weights' norm.</summary>
    public virtual double TensorRate(Parameter tensor, double weightNorm, double gradientNorm) => 1;

    /// <summary>The numbers of a step's update.</summary>
    public abstract UpdateNumbers Numbers(StepSettings settings);

    /// <summary>
    /// Computes the next weights of some consecutive values and updates their slots in place.
    /// </summary>
    /// <param name="settings">The same for all values of the step.</param>
    /// <param name="tensorRate">Factor of the tensor that the values belong to.</param>
    /// <param name="w">Weights of version t.</param>
    /// <param name="g">Summed gradients before clipping, as many as weights.</param>
    /// <param name="slot0">State named first in <see cref="SlotNames"/>, as many as weights; empty if there is none.</param>
    /// <param name="slot1">State named second.</param>
    /// <param name="wNext">Receives version t + 1; may be <paramref name="w"/>.</param>
    public abstract void Apply(
        StepSettings settings,
        float tensorRate,
        ReadOnlySpan<float> w,
        ReadOnlySpan<float> g,
        Span<float> slot0,
        Span<float> slot1,
        Span<float> wNext);

    private protected void Require(bool holds, string option, double value, string rule)
    {
        if (!holds)
        {
            string type = GetType().Name.ToLowerInvariant();
            throw ConvNetException.BadInput(FormattableString.Invariant($"optimizer '{type}': {option} is {value}, but must be {rule}."));
        }
    }
}
