namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>What makes a console the client of an orphaned job. The same one told again is acknowledged.</summary>
/// <param name="Client">Holds the lease from now on; made by whoever takes the job up.</param>
/// <param name="RunFolder">Absolute path of the folder that it writes.</param>
/// <param name="Probe">What it has left there to be looked for.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.JobTakeUp")]
public sealed record JobTakeUp([property: Id(0)] string Client, [property: Id(1)] string RunFolder, [property: Id(2)] string Probe);
