namespace ConvNet.Grains.Contracts.Records;

/// <summary>What the job directory keeps in the cluster's store.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.DirectoryRecord")]
public sealed record DirectoryRecord
{
    /// <summary>Ids, newest first.</summary>
    [Id(0)] public string[] Jobs { get; init; } = [];

    /// <summary>Of the submissions so far.</summary>
    [Id(1)] public long LastNumber { get; init; }
}
