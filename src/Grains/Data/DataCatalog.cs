using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;

namespace ConvNet.Grains.Data;

/// <summary>The data sets that this process holds, one copy for all its workers.</summary>
public sealed class DataCatalog
{
    private readonly Lock _lock = new();
    private readonly Dictionary<DataReference, WeakReference<Dataset>> _held = [];

    /// <summary>Reads a data set, or takes the copy that is in memory, and checks that it is the job's.</summary>
    public Dataset Open(DataReference reference)
    {
        lock (_lock)
        {
            if (!_held.TryGetValue(reference, out WeakReference<Dataset>? held) || !held.TryGetTarget(out Dataset? data))
            {
                data = reference.Load();
                _held[reference] = new WeakReference<Dataset>(data);
            }

            if (data.Sha256 != reference.Sha256)
            {
                throw ConvNetException.BadInput(
                    $"data '{reference.NameOrPath}' on {Environment.MachineName} has SHA-256 {data.Sha256}, but the job was made with {reference.Sha256}; " +
                    "every machine needs the same files: copy them there, or start a new job");
            }

            return data;
        }
    }
}
