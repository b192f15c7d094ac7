using System.Globalization;
using System.Security.Cryptography;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;
using ConvNet.Engine.Formats;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Checkpoints;

/// <summary>
/// One checkpoint on the disk: step-00001234/ with model.safetensors, optimizer.safetensors, state.msgpack and, written last,
/// manifest.json. It appears under its name only when all of it is flushed to the disk.
/// </summary>
public static class CheckpointFolder
{
    public const string ModelFile = "model.safetensors";
    public const string OptimizerFile = "optimizer.safetensors";
    public const string StateFile = "state.msgpack";
    public const string ManifestFile = "manifest.json";

    public const string Prefix = "step-";
    internal const string TemporaryPrefix = ".tmp-";
    internal const string ReplacedPrefix = ".replaced-";

    /// <summary>Besides the manifest, which names them.</summary>
    internal static readonly string[] Files = [ModelFile, OptimizerFile, StateFile];

    /// <summary>The folder's name for a step, e.g. step-00001234.</summary>
    public static string NameOf(long step) => Prefix + step.ToString("00000000", CultureInfo.InvariantCulture);

    /// <summary>Writes a checkpoint into <paramref name="store"/> (a run's checkpoints/); one of the same step is replaced.</summary>
    /// <param name="store">Created if missing.</param>
    /// <returns>Absolute path, step and hashes. When this returns, the checkpoint survives a power failure.</returns>
    /// <exception cref="ConvNetException">The disk is full or not writable (exit code 7).</exception>
    public static CheckpointResult Save(string store, Checkpoint checkpoint) => Save(store, checkpoint, DurableDisk.Machine);

    /// <inheritdoc cref="Save(string, Checkpoint)"/>
    internal static CheckpointResult Save(string store, Checkpoint checkpoint, DurableDisk disk) => Write(store, checkpoint, disk).Publish();

    /// <summary>Writes and flushes all of a checkpoint, under a temporary name in <paramref name="store"/>.</summary>
    /// <exception cref="ConvNetException">The disk is full or not writable (exit code 7).</exception>
    internal static UnpublishedCheckpoint Write(string store, Checkpoint checkpoint, DurableDisk disk)
    {
        store = Path.GetFullPath(store);
        string name = NameOf(checkpoint.State.Step);
        string temporary = Path.Combine(store, $"{TemporaryPrefix}{name}-{Guid.NewGuid():N}");
        string final = Path.Combine(store, name);
        try
        {
            disk.CreateFolder(store);
            disk.CreateFolder(temporary);
            var manifest = new CheckpointManifest(
                CheckpointState.CurrentFormatVersion,
                checkpoint.State.Step,
                checkpoint.State.NumericsVersion,
                checkpoint.StateSha256(),
                checkpoint.WeightsSha256(),
                [
                    WriteHashed(disk, temporary, ModelFile, stream => SafetensorsFile.Write(stream, checkpoint.Model, checkpoint.Metadata)),
                    WriteHashed(disk, temporary, OptimizerFile, stream => SafetensorsFile.Write(stream, checkpoint.Optimizer)),
                    WriteHashed(disk, temporary, StateFile, stream => stream.Write(checkpoint.State.Serialize())),
                ],
                DateTime.UtcNow,
                "",
                checkpoint.ClassNames);
            disk.Write(Path.Combine(temporary, ManifestFile), stream => stream.Write(manifest.Serialize()));
            var result = new CheckpointResult(final, manifest.Step, manifest.StateSha256, manifest.WeightsSha256);
            return new UnpublishedCheckpoint(disk, store, temporary, result);
        }
        catch (Exception e)
        {
            CheckpointStore.TryDelete(temporary, disk);
            if ((e is ConvNetException { ExitCode: ExitCode.Resources } ? e.InnerException ?? e : e) is var cause && FileFailure.Is(cause))
            {
                throw Failed(final, cause);
            }

            throw;
        }
    }

    internal static ConvNetException Failed(string path, Exception e) =>
        new(ExitCode.Resources, $"{path}: cannot be written: {e.Message.TrimEnd('.')}. Free some space or choose another folder.", e);

    /// <summary>Checks sizes and hashes of all files, then whether their content has the hashes that the manifest promises.</summary>
    public static CheckpointVerification Verify(string path) => Examine(path).Verification;

    /// <summary>Verifies and reads a checkpoint.</summary>
    /// <exception cref="ConvNetException">
    /// It is damaged: the message names every problem (exit code 3); or from a newer version (6).
    /// </exception>
    public static Checkpoint Load(string path)
    {
        (CheckpointVerification verification, Checkpoint? checkpoint) = Examine(path);
        return checkpoint is not null && verification.Ok
            ? checkpoint
            : throw ConvNetException.BadInput($"{path}: the checkpoint is damaged: {string.Join(" ", verification.Problems)}");
    }

    private static (CheckpointVerification Verification, Checkpoint? Checkpoint) Examine(string path)
    {
        path = Path.GetFullPath(path);
        CheckpointManifest manifest;
        try
        {
            manifest = CheckpointManifest.Read(Path.Combine(path, ManifestFile));
        }
        catch (ConvNetException e) when (e.ExitCode == ExitCode.BadInput)
        {
            return (new CheckpointVerification(path, null, null, null, [e.Message]), null);
        }

        var problems = new List<string>();
        CheckFiles(path, manifest, problems);
        Checkpoint? checkpoint = null;
        if (problems.Count == 0)
        {
            checkpoint = CheckContent(path, manifest, problems);
        }

        return (new CheckpointVerification(path, manifest.Step, manifest.StateSha256, manifest.WeightsSha256, problems), checkpoint);
    }

    private static void CheckFiles(string path, CheckpointManifest manifest, List<string> problems)
    {
        foreach (CheckpointFile file in manifest.Files)
        {
            if (!Files.Contains(file.Name))
            {
                problems.Add($"{ManifestFile} names '{file.Name}', which is no file of a checkpoint; it was not opened.");
            }
        }

        foreach (string name in Files)
        {
            CheckpointFile[] entries = [.. manifest.Files.Where(file => file.Name == name)];
            if (entries.Length != 1)
            {
                problems.Add($"{ManifestFile} names {name} {entries.Length} times instead of once.");
            }
            else if (Problem(path, entries[0]) is { } problem)
            {
                problems.Add(problem);
            }
        }
    }

    private static string? Problem(string path, CheckpointFile entry)
    {
        try
        {
            var info = new FileInfo(Path.Combine(path, entry.Name));
            if (!info.Exists)
            {
                return $"{entry.Name} is missing.";
            }

            if (info.LinkTarget is not null)
            {
                return $"{entry.Name} is a link; a checkpoint holds its files itself.";
            }

            if (info.Length != entry.Size)
            {
                return $"{entry.Name} has {info.Length} bytes instead of {entry.Size}.";
            }

            using FileStream stream = OrdinaryFile.Open(info.FullName);
            string hash = Convert.ToHexStringLower(SHA256.HashData(stream));
            return hash == entry.Sha256 ? null : $"{entry.Name} has SHA-256 {hash} instead of {entry.Sha256}.";
        }
        catch (ConvNetException e)
        {
            return e.Message;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{entry.Name} cannot be read: {e.Message.TrimEnd('.')}.";
        }
    }

    private static Checkpoint? CheckContent(string path, CheckpointManifest manifest, List<string> problems)
    {
        try
        {
            CheckpointState state = CheckpointState.Read(Path.Combine(path, StateFile));
            SafetensorsFile model = SafetensorsFile.Read(Path.Combine(path, ModelFile));
            SafetensorsFile optimizer = SafetensorsFile.Read(Path.Combine(path, OptimizerFile));
            var checkpoint = new Checkpoint(
                state,
                [.. model.Tensors.Where(tensor => !CheckpointTensors.IsStatistic(tensor.Name))],
                [.. model.Tensors.Where(tensor => CheckpointTensors.IsStatistic(tensor.Name))],
                optimizer.Tensors,
                model.Metadata);
            if (state.Step != manifest.Step || state.NumericsVersion != manifest.NumericsVersion)
            {
                problems.Add(
                    $"{StateFile} is of step {state.Step} and numerics version {state.NumericsVersion}, {ManifestFile} of " +
                    $"{manifest.Step} and {manifest.NumericsVersion}.");
            }

            if (checkpoint.StateSha256() != manifest.StateSha256)
            {
                problems.Add($"The tensors have the state hash {checkpoint.StateSha256()} instead of {manifest.StateSha256}.");
            }

            if (checkpoint.WeightsSha256() != manifest.WeightsSha256)
            {
                problems.Add($"The weights have the hash {checkpoint.WeightsSha256()} instead of {manifest.WeightsSha256}.");
            }

            NamedTensor[] wild = [.. model.Tensors.Where(tensor => TensorList.FirstNonFinite(tensor.Data.Span) is not null)];
            if (wild.Length > 0)
            {
                problems.Add($"{ModelFile} has {wild.Length} tensors with values that are no finite numbers; the first is '{wild[0].Name}'.");
            }

            return checkpoint;
        }
        catch (ConvNetException e)
        {
            problems.Add(e.Message);
            return null;
        }
    }

    private static CheckpointFile WriteHashed(DurableDisk disk, string folder, string name, Action<Stream> write)
    {
        string path = Path.Combine(folder, name);
        using var hash = SHA256.Create();
        disk.Write(path, stream =>
        {
            using var hashing = new CryptoStream(stream, hash, CryptoStreamMode.Write, leaveOpen: true);
            write(hashing);
        });
        return new CheckpointFile(name, new FileInfo(path).Length, Convert.ToHexStringLower(hash.Hash!));
    }

    // A folder cannot replace another in one step: the old one moves aside, and CheckpointStore.Sweep moves it back
    // after a crash in between.
    internal static void Publish(DurableDisk disk, string store, string temporary, string name)
    {
        string final = Path.Combine(store, name);
        string? replaced = null;
        if (Directory.Exists(final))
        {
            replaced = Path.Combine(store, $"{ReplacedPrefix}{name}-{Guid.NewGuid():N}");
            disk.Move(final, replaced);
        }

        disk.PublishFolder(temporary, final);
        disk.FlushFolder(Path.GetDirectoryName(store)!);
        if (replaced is not null)
        {
            CheckpointStore.TryDelete(replaced, disk);
        }
    }
}
