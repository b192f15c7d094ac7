using ConvNet.Engine.Optimizers;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>What a commit says to the partitions: everything that depends on the step or on all parameters together.</summary>
/// <param name="Skip">True: version t+1 is version t (non-finite gradients).</param>
/// <param name="TensorRates">For LARS the trust ratio of each tensor, otherwise empty.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.CommitOrder")]
public sealed record CommitOrder(
    [property: Id(0)] bool Skip,
    [property: Id(1)] double LearningRate,
    [property: Id(2)] double ClipFactor,
    [property: Id(3)] double BiasCorrection1,
    [property: Id(4)] double BiasCorrection2Root,
    [property: Id(5)] double[] TensorRates)
{
    public static CommitOrder Skipped { get; } = new(true, 0, 0, 0, 0, []);

    public static CommitOrder From(StepSettings settings) =>
        new(false, settings.LearningRate, settings.ClipFactor, settings.BiasCorrection1, settings.BiasCorrection2Root, settings.TensorRates);

    public StepSettings ToSettings() => new(LearningRate, ClipFactor, BiasCorrection1, BiasCorrection2Root, TensorRates);
}
