namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>What somebody who asks for a job's status has seen already.</summary>
/// <param name="SinceStep">Rows of steps from this one on are wanted; null: none.</param>
/// <param name="SinceEvent">Events from this number on are wanted; null: none.</param>
/// <param name="Client">Who asks, if it is the client that holds the job's lease: its question renews the lease.</param>
/// <param name="Writer">The key of the run writer that asks; null for others.</param>
/// <param name="WrittenEvent">Events before this number are on the disk of the client or run writer that asks; others may still be lost with it.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.StatusQuery")]
public sealed record StatusQuery(
    [property: Id(0)] long? SinceStep = null,
    [property: Id(1)] long? SinceEvent = null,
    [property: Id(2)] string? Client = null,
    [property: Id(3)] string? Writer = null,
    [property: Id(4)] long? WrittenEvent = null);
