using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>A checkpoint that verifies.</summary>
/// <param name="Position">Where a job stands that goes on from it.</param>
/// <param name="Warnings">Sentences about newer ones that do not verify.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.WholeCheckpoint")]
public sealed record WholeCheckpoint(
    [property: Id(0)] CheckpointResult Checkpoint, [property: Id(1)] JobPosition Position, [property: Id(2)] string[] Warnings);
