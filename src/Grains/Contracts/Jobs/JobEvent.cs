namespace ConvNet.Grains.Contracts.Jobs;

/// <param name="Number">Counts the events of the job from 0.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.JobEvent")]
public sealed record JobEvent([property: Id(0)] long Number, [property: Id(1)] RunEvent Event);
