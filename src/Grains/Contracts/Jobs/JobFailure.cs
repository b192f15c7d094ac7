namespace ConvNet.Grains.Contracts.Jobs;

/// <param name="ExitCode">As in the exit-code table.</param>
/// <param name="Details">Of a bug, for the log; null otherwise.</param>
/// <param name="IsContradiction">The part that met it was told that it had said something else before.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.JobFailure")]
public sealed record JobFailure(
    [property: Id(0)] int ExitCode,
    [property: Id(1)] string Message,
    [property: Id(2)] string? Details = null,
    [property: Id(3)] bool IsContradiction = false);
