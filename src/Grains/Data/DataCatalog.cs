using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Data;

/// <summary>
/// Opens data sets of every format: what the engine reads by itself, and folders of images. An instance holds those of a
/// silo's jobs, one copy for all its workers.
/// </summary>
public sealed class DataCatalog
{
    private const int MostFaults = 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<DataReference, WeakReference<Dataset>> _held = [];
    private readonly Dictionary<DataReference, Task<Dataset>> _loading = [];

    /// <summary>Reads a data set for the caller alone.</summary>
    /// <param name="nameOrPath">A built-in name or a folder; see <see cref="DatasetFiles"/>.</param>
    /// <param name="size">"HxW": image folders are resized to it; null: their images must all have one size.</param>
    /// <param name="channels">1 or 3: colour is made grey, or grey repeated; null: as the images are.</param>
    /// <param name="testShare">Above 0 and below 1: the share of an image folder's training images that is kept for testing.</param>
    /// <param name="mostFaults">How many faults of an image folder an exception shows.</param>
    /// <exception cref="ConvNetException">
    /// Unknown name, missing or damaged files, or a size or a share for other than image folders (exit code 3).
    /// </exception>
    public static Dataset Open(
        string nameOrPath, string? size = null, int? channels = null, double? testShare = null, int mostFaults = MostFaults)
    {
        if (channels is not (null or 1 or 3))
        {
            throw ConvNetException.BadInput($"{nameOrPath}: data.channels is {channels}; it must be 1 (grey) or 3 (colour).");
        }

        Size? resize = size is null ? null : ImageSize.TryParse(size) ?? throw ConvNetException.BadInput(ImageSize.Problem(size));
        bool used = false;
        Dataset data = DatasetFiles.Open(nameOrPath, (folder, remarks) =>
        {
            used = true;
            return ImageFolder.ReadBoth(folder, new ImageOptions(resize, channels, testShare), remarks, mostFaults);
        });
        if (resize is not null && !used)
        {
            throw ConvNetException.BadInput(
                $"{nameOrPath}: data.size is {size}, but only image folders are resized; these images are {data.Shape}. Leave " +
                "data.size out.");
        }

        if (testShare is not null && !used)
        {
            throw ConvNetException.BadInput(
                $"{nameOrPath}: data.testShare is {testShare}, but only image folders are split; this data set has test images of its own. Leave " +
                "data.testShare out.");
        }

        return channels is null || channels == data.Shape.C ? data : data.WithChannels(channels.Value);
    }

    /// <summary>Reads the files of a job anew, whether or not they are still what the job was made with.</summary>
    /// <exception cref="ConvNetException">They cannot be read (exit code 3).</exception>
    public static Dataset Reopen(DataReference reference) => Open(reference.NameOrPath, reference.Size, reference.Channels, reference.TestShare);

    /// <summary>Test images for a model that was trained on images of shape <paramref name="image"/>: those of a folder become such images.</summary>
    /// <param name="testShare">What the job kept for testing, for a folder that has only training images.</param>
    /// <param name="isNamed">False if the files know numbers of classes only.</param>
    /// <exception cref="ConvNetException">Missing or damaged files (exit code 3).</exception>
    public static ImageSet OpenTest(string nameOrPath, Shape image, double? testShare, out bool isNamed)
    {
        var options = new ImageOptions(new Size(image.H, image.W), image.C, testShare);
        ImageSet? test = null;
        Dataset data = DatasetFiles.Open(nameOrPath, (folder, remarks) =>
        {
            test = ImageFolder.ReadTest(folder, options, remarks, MostFaults);
            return (test, test);
        });
        isNamed = test is not null || !ClassMatch.AreNumbers(data.ClassNames);
        return GreyImages.Convert(test ?? data.Test, image.C);
    }

    /// <summary>
    /// Reads a job's data set, or takes the copy that is in memory, and checks that it is the job's. Each is read once, on a thread of its own,
    /// however many ask for it meanwhile.
    /// </summary>
    /// <exception cref="ConvNetException">It cannot be read, or it is not what the job was made with (exit code 3).</exception>
    public async Task<Dataset> OpenAsync(DataReference reference)
    {
        Dataset data = await FindAsync(reference).ConfigureAwait(false);
        if (data.Sha256 != reference.Sha256)
        {
            throw ConvNetException.BadInput(
                $"data '{reference.NameOrPath}' has SHA-256 {data.Sha256}, but the job was made with {reference.Sha256}; " +
                "copy the same files there, or start a new job." + reference.OlderReading);
        }

        return data;
    }

    private Task<Dataset> FindAsync(DataReference reference)
    {
        lock (_lock)
        {
            if (_held.TryGetValue(reference, out WeakReference<Dataset>? held) && held.TryGetTarget(out Dataset? data))
            {
                return Task.FromResult(data);
            }

            if (!_loading.TryGetValue(reference, out Task<Dataset>? loading))
            {
                loading = Task.Factory.StartNew(() => Load(reference), default, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                _loading.Add(reference, loading);
            }

            return loading;
        }
    }

    /// <summary>What fails is forgotten, and tried again when somebody asks again.</summary>
    private Dataset Load(DataReference reference)
    {
        Dataset? data = null;
        try
        {
            return data = Reopen(reference);
        }
        finally
        {
            lock (_lock)
            {
                _loading.Remove(reference);
                if (data is not null)
                {
                    _held[reference] = new WeakReference<Dataset>(data);
                }
            }
        }
    }
}
