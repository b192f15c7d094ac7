using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>A worker has computed and pushed its part of a step; sent also by workers whose shards are empty in this step.</summary>
/// <param name="Roots">Loss and correct answers of each root of the worker's plan, in the plan's order.</param>
public sealed record WorkerReport(MessageHeader Header, Metrics[] Roots);
