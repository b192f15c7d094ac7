using System.Collections.Concurrent;
using Orleans.Storage;

namespace ConvNet.Grains.Placement;

/// <summary>
/// Keeps the records of a cluster whose head stays on one silo, in the memory of that silo: a grain that was let go finds its record again, and all
/// end with the process.
/// </summary>
internal sealed class ProcessStore : IGrainStorage
{
    private readonly ConcurrentDictionary<(string Name, GrainId Grain), (object State, string ETag)> _records = [];

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        grainState.RecordExists = _records.TryGetValue((stateName, grainId), out (object State, string ETag) found);
        (grainState.State, grainState.ETag) = grainState.RecordExists ? ((T)found.State, found.ETag) : (Activator.CreateInstance<T>(), null);
        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        grainState.ETag = Guid.NewGuid().ToString("N");
        grainState.RecordExists = true;
        _records[(stateName, grainId)] = (grainState.State!, grainState.ETag);
        return Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        _records.TryRemove((stateName, grainId), out _);
        (grainState.RecordExists, grainState.ETag) = (false, null);
        return Task.CompletedTask;
    }
}
