using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Says exactly what a payload is; the key under which duplicates and conflicts are told apart.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.PushHeader")]
public readonly record struct PushHeader(
    [property: Id(0)] long Generation,
    [property: Id(1)] long Step,
    [property: Id(2)] int Worker,
    [property: Id(3)] int Chunk,
    [property: Id(4)] int NodeLevel,
    [property: Id(5)] int NodeIndex)
{
    public TreeNode Node => new(NodeLevel, NodeIndex);

    public MessageHeader ToMessageHeader() => new(Generation, Step, Worker, (int)Generation);
}
