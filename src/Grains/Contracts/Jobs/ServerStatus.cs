namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>Where one server of a job runs.</summary>
/// <param name="Standby">The silo of its standby, or null.</param>
/// <param name="Role">"partition 0", "batch norm", "coordinator", "checkpoint".</param>
[GenerateSerializer, Immutable, Alias("ConvNet.ServerStatus")]
public sealed record ServerStatus([property: Id(0)] string Role, [property: Id(1)] string Silo, [property: Id(2)] string? Standby = null);
