namespace ConvNet.Grains.Contracts.Messages;

/// <summary>What every message of a worker carries; the job is implied by the grain that it goes to.</summary>
/// <param name="Worker">Index in the generation's <see cref="Assignment.Workers"/>.</param>
public readonly record struct MessageHeader(long Generation, long Step, int Worker, int Incarnation);
