using ConvNet.Engine.Optimizers;

namespace ConvNet.Grains.Contracts.Wire;

/// <summary><see cref="StepSettings"/> as they travel.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.StepSettings")]
internal readonly record struct StepSettingsSurrogate(
    [property: Id(0)] double LearningRate,
    [property: Id(1)] double ClipFactor,
    [property: Id(2)] double BiasCorrection1,
    [property: Id(3)] double BiasCorrection2Root,
    [property: Id(4)] double[] TensorRates);

[RegisterConverter]
internal sealed class StepSettingsConverter : IConverter<StepSettings, StepSettingsSurrogate>
{
    public StepSettings ConvertFromSurrogate(in StepSettingsSurrogate surrogate) => new(
        surrogate.LearningRate, surrogate.ClipFactor, surrogate.BiasCorrection1, surrogate.BiasCorrection2Root, surrogate.TensorRates);

    public StepSettingsSurrogate ConvertToSurrogate(in StepSettings value) =>
        new(value.LearningRate, value.ClipFactor, value.BiasCorrection1, value.BiasCorrection2Root, value.TensorRates);
}
