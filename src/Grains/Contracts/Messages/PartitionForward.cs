namespace ConvNet.Grains.Contracts.Messages;

/// <summary>One message of a partition to its standby; floats travel beside it.</summary>
/// <param name="Slot">Of <see cref="ForwardPart.State"/>: see <see cref="StateSlot"/>.</param>
/// <param name="Chunk">Of <see cref="ForwardPart.State"/> and <see cref="ForwardPart.Gradient"/>.</param>
/// <param name="Decision">Of <see cref="ForwardPart.Decision"/>.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.PartitionForward")]
public sealed record PartitionForward(
    [property: Id(0)] MessageHeader Header,
    [property: Id(1)] ForwardPart Part,
    [property: Id(2)] int Slot = 0,
    [property: Id(3)] int Chunk = 0,
    [property: Id(4)] StepDecision? Decision = null);
