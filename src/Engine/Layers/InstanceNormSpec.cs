using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>
/// Per sample and channel over all pixels; γ and β per channel.
/// Source: Ulyanov, Vedaldi, Lempitsky, "Instance normalization" (2016).
/// </summary>
public sealed record InstanceNormSpec : LayerSpec
{
    public override Shape OutputShape(Shape input, string name) => input.Area > 1
        ? input
        : throw ConvNetException.BadInput(
            $"layer '{name}' (instanceNorm): {input} has a single value per channel, whose normalized value is always 0; " +
            "put it where height x width is above 1.");

    internal override Layer Build(ModelBuilder builder, string name, Shape input) =>
        new GroupNorm(name, builder.NextLayer(), OutputShape(input, name), input.C);
}
