using ConvNet.Grains.Contracts.Wire;

namespace ConvNet.Grains.Contracts.Messages;

[GenerateSerializer, Immutable, Alias("ConvNet.PullReply")]
public sealed record PullReply([property: Id(0)] PullVerdict Verdict, [property: Id(1)] TensorBlock? Values);
