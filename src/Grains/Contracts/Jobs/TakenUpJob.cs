namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>What the new client of a job has to know of it.</summary>
/// <param name="Submission">As it is now.</param>
/// <param name="FirstEvent">The number of the first event that is not in the run folder yet.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.TakenUpJob")]
public sealed record TakenUpJob([property: Id(0)] JobSubmission Submission, [property: Id(1)] long FirstEvent);
