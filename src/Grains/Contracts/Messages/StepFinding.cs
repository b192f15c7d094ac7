namespace ConvNet.Grains.Contracts.Messages;

/// <summary>The values of a step cannot be trusted yet: what the job is to do about it.</summary>
/// <param name="Expelled">The worker that computes wrongly and is to be taken out; null: the step is to run again with the shards at other workers.</param>
/// <param name="Clause">Why, to stand after the worker's name; null if nobody is to be taken out.</param>
/// <param name="Warning">For people.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.StepFinding")]
public sealed record StepFinding([property: Id(0)] string? Expelled, [property: Id(1)] string? Clause, [property: Id(2)] string Warning);
