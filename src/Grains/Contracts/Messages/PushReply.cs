namespace ConvNet.Grains.Contracts.Messages;

[GenerateSerializer, Immutable, Alias("ConvNet.PushReply")]
public readonly record struct PushReply([property: Id(0)] Verdict Verdict, [property: Id(1)] string? Reason);
