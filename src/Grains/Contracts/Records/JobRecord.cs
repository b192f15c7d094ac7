using ConvNet.Grains.Contracts.Jobs;
namespace ConvNet.Grains.Contracts.Records;

/// <summary>
/// What is kept of a job in the cluster's store, so that another silo can lead it on: written by compare-and-set, before a generation begins that it
/// names.
/// </summary>
[GenerateSerializer, Immutable, Alias("ConvNet.JobRecord")]
public sealed record JobRecord
{
    /// <summary>Null only where nothing is kept.</summary>
    [Id(0)] public JobSubmission? Submission { get; init; }

    /// <summary>Of the submission, for the queue.</summary>
    [Id(1)] public long Number { get; init; }

    [Id(2)] public LifeRecord Life { get; init; } = new();

    /// <summary>Where the job's checkpoints go; null until it has a place.</summary>
    [Id(3)] public CheckpointPlace? Checkpoints { get; init; }

    /// <summary>Keys of the workers that are reserved for the job.</summary>
    [Id(4)] public string[] Held { get; init; } = [];

    /// <summary>The silos with a part in the job, and with which address: one that is started again under the name is another one.</summary>
    [Id(5)] public KeyValuePair<string, string>[] Silos { get; init; } = [];

    /// <summary>The grain that writes the run folder, and the address of its silo, "" if it writes no longer; or null.</summary>
    [Id(6)] public KeyValuePair<string, string>? Writer { get; init; }

    /// <summary>The first event that the writer may not have written.</summary>
    [Id(9)] public long UnwrittenEvent { get; init; }

    /// <summary>Name and address of the silo that has led the job.</summary>
    [Id(7)] public string Silo { get; init; } = "";

    /// <summary>Made by each grain that leads the job, so that it knows its own record when the answer to a write is lost.</summary>
    [Id(8)] public string Author { get; init; } = "";
}
