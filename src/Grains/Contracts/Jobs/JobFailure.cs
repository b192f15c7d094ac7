namespace ConvNet.Grains.Contracts.Jobs;

/// <param name="ExitCode">As in the exit-code table.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.JobFailure")]
public sealed record JobFailure([property: Id(0)] int ExitCode, [property: Id(1)] string Message);
