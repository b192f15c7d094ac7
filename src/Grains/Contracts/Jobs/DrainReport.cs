namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>How far a silo is emptied of jobs.</summary>
/// <param name="Left">Ids of the jobs that have had something there since it began, and have not any more.</param>
/// <param name="Waits">What each job that still has something there has to do before: "job 'a', which finishes its step and saves".</param>
[GenerateSerializer, Immutable, Alias("ConvNet.DrainReport")]
public sealed record DrainReport([property: Id(0)] string[] Left, [property: Id(1)] string[] Waits);
