using System.Collections.Concurrent;
using ConvNet.Grains.Contracts.Records;
using ConvNet.Grains.Placement;
using Orleans.Storage;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>A store for the records of jobs that can be away, and tells what was written last.</summary>
internal sealed class RiggedStore : IGrainStorage
{
    public const string Away = "the store is away";

    private readonly ProcessStore _store = new();
    private readonly ConcurrentDictionary<string, JobRecord> _records = [];

    /// <summary>Nothing can be read or written.</summary>
    public bool IsAway { get; set; }

    /// <summary>The record of a job as it was written last; null before that.</summary>
    public JobRecord? RecordOf(string job) => _records.GetValueOrDefault(job);

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        IsAway ? throw new IOException(Away) : _store.ReadStateAsync(stateName, grainId, grainState);

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await (IsAway ? throw new IOException(Away) : _store.WriteStateAsync(stateName, grainId, grainState));
        if (grainState.State is JobRecord record)
        {
            _records[grainId.Key.ToString()!] = record;
        }
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        IsAway ? throw new IOException(Away) : _store.ClearStateAsync(stateName, grainId, grainState);
}
