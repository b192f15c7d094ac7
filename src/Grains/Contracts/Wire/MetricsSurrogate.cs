using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Contracts.Wire;

/// <summary><see cref="Metrics"/> as they travel: the engine knows nothing of serializers.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.Metrics")]
internal readonly record struct MetricsSurrogate([property: Id(0)] double LossSum, [property: Id(1)] long Correct, [property: Id(2)] long Count);

[RegisterConverter]
internal sealed class MetricsConverter : IConverter<Metrics, MetricsSurrogate>
{
    public Metrics ConvertFromSurrogate(in MetricsSurrogate surrogate) => new(surrogate.LossSum, surrogate.Correct, surrogate.Count);

    public MetricsSurrogate ConvertToSurrogate(in Metrics value) => new(value.LossSum, value.Correct, value.Count);
}
