using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Data;

/// <summary>
/// Opens data sets of every format: what the engine reads by itself, and folders of PNG and JPEG images. An instance holds those of a
/// silo's jobs, one copy for all its workers.
/// </summary>
public sealed class DataCatalog
{
    private readonly Lock _lock = new();
    private readonly Dictionary<DataReference, WeakReference<Dataset>> _held = [];

    /// <summary>Reads a data set for the caller alone.</summary>
    /// <param name="nameOrPath">A built-in name or a folder; see <see cref="DatasetFiles"/>.</param>
    /// <param name="size">"HxW": image folders are resized to it; null: their images must all have one size.</param>
    /// <exception cref="ConvNetException">
    /// Unknown name, missing or damaged files, or a size for other than image folders (exit code 3).
    /// </exception>
    public static Dataset Open(string nameOrPath, string? size = null)
    {
        Size? resize = size is null ? null : ImageSize.TryParse(size) ?? throw ConvNetException.BadInput(ImageSize.Problem(size));
        bool used = false;
        Dataset data = DatasetFiles.Open(nameOrPath, folder =>
        {
            used = true;
            return ImageFolder.Read(folder, resize);
        });
        if (resize is not null && !used)
        {
            throw ConvNetException.BadInput(
                $"{nameOrPath}: data.size is {size}, but only image folders are resized; these images are {data.Shape}. Leave " +
                "data.size out.");
        }

        return data;
    }

    /// <summary>Reads a job's data set, or takes the copy that is in memory, and checks that it is the job's.</summary>
    /// <exception cref="ConvNetException">It cannot be read, or it is not what the job was made with (exit code 3).</exception>
    public Dataset Open(DataReference reference)
    {
        lock (_lock)
        {
            if (!_held.TryGetValue(reference, out WeakReference<Dataset>? held) || !held.TryGetTarget(out Dataset? data))
            {
                data = Open(reference.NameOrPath, reference.Size);
                _held[reference] = new WeakReference<Dataset>(data);
            }

            if (data.Sha256 != reference.Sha256)
            {
                throw ConvNetException.BadInput(
                    $"data '{reference.NameOrPath}' has SHA-256 {data.Sha256}, but the job was made with {reference.Sha256}; " +
                    "copy the same files there, or start a new job.");
            }

            return data;
        }
    }
}
