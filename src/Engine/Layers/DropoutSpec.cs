using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>
/// In training, drops each value with probability <see cref="Rate"/> and divides the others by 1 − rate; nothing in evaluation.
/// Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014).
/// </summary>
public sealed record DropoutSpec : LayerSpec
{
    /// <summary>In [0, 1).</summary>
    public double Rate { get; init; } = 0.5;

    public override Shape OutputShape(Shape input, string name) => Rate is >= 0 and < 1
        ? input
        : throw ConvNetException.BadInput(
            FormattableString.Invariant($"layer '{name}' (dropout): rate {Rate} must be at least 0 and below 1; it is the share that is dropped."));

    internal override Layer Build(ModelBuilder builder, string name, Shape input) =>
        new Dropout(name, builder.NextLayer(), OutputShape(input, name), Rate);
}
