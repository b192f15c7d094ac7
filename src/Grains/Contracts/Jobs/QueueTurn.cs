namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>Whether it is a job's turn to take workers.</summary>
/// <param name="Position">In the queue, from 1.</param>
/// <param name="Reason">Whom the job waits for; null: it is its turn, until it leaves the queue or asks again.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.QueueTurn")]
public sealed record QueueTurn([property: Id(0)] int Position, [property: Id(1)] string? Reason);
