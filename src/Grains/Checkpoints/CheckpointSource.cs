using System.Security.Cryptography;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;

namespace ConvNet.Grains.Checkpoints;

/// <summary>Reads a checkpoint folder piece by piece, for somebody elsewhere who verifies it.</summary>
internal static class CheckpointSource
{
    /// <summary>The text of manifest.json; null if the folder is not there.</summary>
    /// <exception cref="ConvNetException">It is a link, or too large for a manifest (exit code 3).</exception>
    public static byte[]? Manifest(string folder)
    {
        using FileStream? stream = Open(folder, CheckpointFolder.ManifestFile);
        if (stream is null)
        {
            return null;
        }

        if (stream.Length > CheckpointManifest.MaxLength)
        {
            throw ConvNetException.BadInput($"{stream.Name}: has {stream.Length} bytes; {CheckpointManifest.MaxLength} are read. Use another checkpoint.");
        }

        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>What names a checkpoint to those who may not see its folder: the hash of its manifest. Null if there is none.</summary>
    public static string? Fingerprint(string folder) => Manifest(folder) is { } manifest ? Convert.ToHexStringLower(SHA256.HashData(manifest)) : null;

    /// <summary>Up to a piece of a file from an offset on; empty at its end, null if the file is not there.</summary>
    /// <exception cref="ConvNetException">Checkpoints have no such file, or it is a link (exit code 3).</exception>
    public static byte[]? Read(string folder, string file, long offset)
    {
        if (!CheckpointFolder.Files.Contains(file))
        {
            throw ConvNetException.BadInput($"a checkpoint has no file '{file}'; its files are {string.Join(", ", CheckpointFolder.Files)}.");
        }

        using FileStream? stream = Open(folder, file);
        if (stream is null)
        {
            return null;
        }

        byte[] bytes = new byte[Math.Clamp(stream.Length - offset, 0, ICheckpointStoreGrain.PieceBytes)];
        if (offset < 0 || bytes.Length == 0)
        {
            return [];
        }

        stream.Position = offset;
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static FileStream? Open(string folder, string name)
    {
        var file = new FileInfo(Path.Combine(folder, name));
        if (file.LinkTarget is not null)
        {
            throw ConvNetException.BadInput($"{file.FullName}: is a link; a checkpoint holds its files itself.");
        }

        try
        {
            // Pipes and devices have length 0, and are never opened. Whoever deletes the checkpoint meanwhile may do so.
            return file is { Exists: true, Length: > 0 }
                ? new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0)
                : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
