using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>
/// Per sample over the C/groups channels of each group and all pixels; γ and β per channel.
/// Source: Wu, He, "Group normalization" (2018).
/// </summary>
public sealed record GroupNormSpec : LayerSpec
{
    /// <summary>Divides C.</summary>
    public required int Groups { get; init; }

    public override Shape OutputShape(Shape input, string name) => Groups >= 1 && input.C % Groups == 0
        ? input
        : throw ConvNetException.BadInput(
            $"layer '{name}' (groupNorm): groups {Groups} must divide the {input.C} channels; " +
            $"use one of {Limits.CommonDivisors(input.C, input.C)}.");

    internal override Layer Build(ModelBuilder builder, string name, Shape input) =>
        new GroupNorm(name, builder.NextLayer(), OutputShape(input, name), Groups);
}
