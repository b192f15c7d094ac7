using System.Text.Json.Serialization;
using ConvNet.Engine.Layers;

namespace ConvNet.Engine;

/// <summary>What a layer is, as data. Concrete records stand beside their layer in Layers/ and are JSON types of their own.</summary>
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

/// <summary>A model as data: the volume of one sample and the layers in order. Read and written as JSON by <see cref="ModelFile"/>.</summary>
public sealed record ModelSpec(string Name, Shape Input, IReadOnlyList<LayerSpec> Layers);

public enum BatchNormMode
{
    /// <summary>Statistics over the global batch, through the parameter server.</summary>
    [JsonStringEnumMemberName("sync")]
    Sync,

    /// <summary>Statistics over each data shard (ghost batch norm).</summary>
    [JsonStringEnumMemberName("shard")]
    Shard,
}

/// <summary>How running statistics follow the batches.</summary>
public enum RunningAverage
{
    /// <summary>running = 0.9·running + 0.1·batch, as PyTorch's default.</summary>
    [JsonStringEnumMemberName("exponential")]
    Exponential,

    /// <summary>The mean over all batches seen, as PyTorch with momentum=None.</summary>
    [JsonStringEnumMemberName("cumulative")]
    Cumulative,
}
