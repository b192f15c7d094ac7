using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Says exactly which gradient a push holds: one chunk's, summed over the shards below one root of the sender's plan.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.GradientRoot")]
public readonly record struct GradientRoot(
    [property: Id(0)] MessageHeader Header, [property: Id(1)] int Chunk, [property: Id(2)] TreeNode Node);
