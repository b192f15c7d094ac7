using System.Security.Cryptography;
using System.Text;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts;

namespace ConvNet.Grains.Checkpoints;

/// <summary>
/// A checkpoint that arrives in pieces, in the order of each file. Like one that is written, it has its name only when all of it is verified and
/// flushed to the disk; disposed of before that, nothing of it is left.
/// </summary>
internal sealed class CheckpointReceipt : IDisposable
{
    private readonly DurableDisk _disk;
    private readonly string _store;
    private readonly string _temporary;
    private readonly byte[] _text;
    private readonly Dictionary<string, Arriving> _files;

    private CheckpointReceipt(string store, byte[] text, CheckpointManifest manifest, DurableDisk disk)
    {
        _disk = disk;
        _store = store;
        _text = text;
        Manifest = manifest;
        _temporary = Path.Combine(store, $"{CheckpointFolder.TemporaryPrefix}{CheckpointFolder.NameOf(manifest.Step)}-{Guid.NewGuid():N}");
        _files = manifest.Files.ToDictionary(file => file.Name, file => new Arriving(_disk, Path.Combine(_temporary, file.Name), file));
    }

    public CheckpointManifest Manifest { get; }

    /// <summary>Bytes so far.</summary>
    public long Received => _files.Values.Sum(file => file.Length);

    /// <summary>Checks what is announced before any of it takes memory or disk.</summary>
    /// <param name="store">A run's checkpoints/; created if missing.</param>
    /// <param name="job">Whose checkpoint it is, which bounds its files; null: not known, so that only the free space does.</param>
    /// <exception cref="ConvNetException">It is no manifest, or announces what such a checkpoint cannot have (exit code 3); the disk is full (7).</exception>
    public static CheckpointReceipt Begin(string store, byte[] text, JobSpec? job, DurableDisk? disk = null)
    {
        store = Path.GetFullPath(store);
        if (text.Length > CheckpointManifest.MaxLength)
        {
            throw ConvNetException.BadInput($"a manifest of {text.Length} bytes was sent; {CheckpointManifest.MaxLength} are read.");
        }

        var manifest = CheckpointManifest.Parse(Encoding.UTF8.GetString(text), $"the manifest that was sent for {store}");
        if (manifest.Step < 0 || !manifest.Files.Select(file => file.Name).Order().SequenceEqual(CheckpointFolder.Files.Order()))
        {
            throw ConvNetException.BadInput(
                $"the manifest that was sent for {store} names step {manifest.Step} and the files " +
                $"{string.Join(", ", manifest.Files.Select(file => file.Name))}; a checkpoint has {string.Join(", ", CheckpointFolder.Files)}.");
        }

        foreach (CheckpointFile file in manifest.Files)
        {
            long most = job is null ? long.MaxValue : CheckpointTensors.MostBytes(job, file.Name);
            if (file.Size < 1 || file.Size > most)
            {
                throw ConvNetException.BadInput(
                    $"the manifest that was sent for {store} announces {file.Size} bytes of {file.Name}; 1 to {most} are possible. " +
                    "It is no checkpoint of this job.");
            }
        }

        var receipt = new CheckpointReceipt(store, text, manifest, disk ?? DurableDisk.Machine);
        receipt.Write(() =>
        {
            receipt._disk.CreateFolder(store);
            decimal size = manifest.Files.Sum(file => (decimal)file.Size);
            long free = new DriveInfo(store).AvailableFreeSpace;
            if (size > free)
            {
                throw new ConvNetException(
                    ExitCode.Resources, $"{store}: a checkpoint has {size} bytes, but only {free} are free. Free some space or choose another folder.");
            }

            receipt._disk.CreateFolder(receipt._temporary);
        });
        return receipt;
    }

    /// <summary>Appends to a file; a piece that is there already is passed over. At the file's end its hash is compared.</summary>
    /// <exception cref="ConvNetException">The piece does not follow, or the file is not what the manifest says (exit code 3); the disk is full (7).</exception>
    public void Append(string name, long offset, byte[] bytes)
    {
        if (!_files.TryGetValue(name, out Arriving? file) || bytes.Length is 0 or > ICheckpointStoreGrain.PieceBytes
            || offset < 0 || offset > file.Length || offset > file.Entry.Size - bytes.Length)
        {
            throw ConvNetException.BadInput(
                $"{bytes.Length} bytes of '{name}' from {offset} on do not follow the {file?.Length ?? 0} that have arrived of {file?.Entry.Size ?? 0}; " +
                "send the checkpoint again.");
        }

        if (offset + bytes.Length <= file.Length)
        {
            return;
        }

        if (offset != file.Length)
        {
            throw ConvNetException.BadInput($"bytes of '{name}' from {offset} on overlap the {file.Length} that have arrived; send the checkpoint again.");
        }

        Write(() => file.Append(bytes));
    }

    /// <summary>Checks that the folder has no checkpoints of another job; asked when all has arrived.</summary>
    /// <exception cref="ConvNetException">It has (exit code 6).</exception>
    public void DemandSameJob() => CheckpointStore.DemandSameJob(_store, CheckpointState.Read(Path.Combine(_temporary, CheckpointFolder.StateFile)));

    /// <summary>Verifies the whole, its content included, and gives it its name; one of the same step is replaced.</summary>
    /// <exception cref="ConvNetException">Something is missing or damaged (exit code 3), or the disk is full (7).</exception>
    public CheckpointResult Complete()
    {
        if (_files.Values.FirstOrDefault(file => file.Length < file.Entry.Size) is { } missing)
        {
            throw ConvNetException.BadInput(
                $"only {missing.Length} of {missing.Entry.Size} bytes of {missing.Entry.Name} have arrived; send the checkpoint again.");
        }

        Write(() =>
        {
            _disk.Write(Path.Combine(_temporary, CheckpointFolder.ManifestFile), stream => stream.Write(_text));
            CheckpointVerification found = CheckpointFolder.Verify(_temporary);
            if (!found.Ok)
            {
                throw ConvNetException.BadInput($"the checkpoint that arrived in {_store} is damaged: {string.Join(" ", found.Problems)}");
            }

            CheckpointFolder.Publish(_disk, _store, _temporary, CheckpointFolder.NameOf(Manifest.Step));
        });
        return new CheckpointResult(
            Path.Combine(_store, CheckpointFolder.NameOf(Manifest.Step)), Manifest.Step, Manifest.StateSha256, Manifest.WeightsSha256);
    }

    public void Dispose()
    {
        foreach (Arriving file in _files.Values)
        {
            file.Dispose();
        }

        CheckpointStore.TryDelete(_temporary, _disk);
    }

    private void Write(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            throw new ConvNetException(
                FileFailure.CodeOf(e), $"{_store}: a checkpoint cannot be received: {e.Message.TrimEnd('.')}. Free some space or choose another folder.", e);
        }
    }

    /// <summary>A file of which bytes are still to come; made with the first of them.</summary>
    private sealed class Arriving(DurableDisk disk, string path, CheckpointFile entry) : IDisposable
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private FileStream? _stream;

        public CheckpointFile Entry => entry;

        public long Length { get; private set; }

        public void Append(byte[] bytes)
        {
            _stream ??= disk.CreateFile(path);
            _stream.Write(bytes);
            _hash.AppendData(bytes);
            Length += bytes.Length;
            if (Length < entry.Size)
            {
                return;
            }

            disk.Flush(_stream);
            _stream.Dispose();
            string hash = Convert.ToHexStringLower(_hash.GetHashAndReset());
            if (hash != entry.Sha256)
            {
                throw ConvNetException.BadInput($"{entry.Name} has arrived with SHA-256 {hash} instead of {entry.Sha256}; send the checkpoint again.");
            }
        }

        public void Dispose()
        {
            _stream?.Dispose();
            _hash.Dispose();
        }
    }
}
