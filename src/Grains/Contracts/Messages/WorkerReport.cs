using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>A worker has computed and pushed its part of a step; sent also by workers whose shards are empty in this step.</summary>
/// <param name="Roots">Loss and correct answers of each root of the worker's plan, in the plan's order.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.WorkerReport")]
public sealed record WorkerReport([property: Id(0)] MessageHeader Header, [property: Id(1)] Metrics[] Roots);
