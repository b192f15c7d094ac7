using System.Text.Json.Serialization;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>What a layer is, as data. Each layer has a record, in a file beside its own: ConvolutionSpec.cs beside Convolution.cs.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ConvolutionSpec), "conv")]
[JsonDerivedType(typeof(BatchNormSpec), "batchNorm")]
[JsonDerivedType(typeof(ReLUSpec), "relu")]
[JsonDerivedType(typeof(MaxPoolSpec), "maxPool")]
[JsonDerivedType(typeof(AvgPoolSpec), "avgPool")]
[JsonDerivedType(typeof(GlobalAvgPoolSpec), "globalAvgPool")]
[JsonDerivedType(typeof(FlattenSpec), "flatten")]
[JsonDerivedType(typeof(FullyConnectedSpec), "fullyConnected")]
[JsonDerivedType(typeof(LocallyConnectedSpec), "locallyConnected")]
[JsonDerivedType(typeof(LayerNormSpec), "layerNorm")]
[JsonDerivedType(typeof(InstanceNormSpec), "instanceNorm")]
[JsonDerivedType(typeof(GroupNormSpec), "groupNorm")]
[JsonDerivedType(typeof(DropoutSpec), "dropout")]
[JsonDerivedType(typeof(ResidualSpec), "residual")]
public abstract record LayerSpec
{
    /// <summary>The volume that leaves this layer, or a <see cref="ConvNetException"/> that shows the arithmetic and valid choices.</summary>
    /// <param name="name">The layer's name for error messages, e.g. "3.main.0".</param>
    public abstract Shape OutputShape(Shape input, string name);

    /// <summary>Makes the layer for a model; see <see cref="ModelBuilder"/>.</summary>
    internal abstract Layer Build(ModelBuilder builder, string name, Shape input);
}
