using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ConvNet.Engine.Formats;
using ConvNet.Grains.Checkpoints;

namespace ConvNet.Client.Tests.BadInputs;

/// <summary>A checkpoint whose files are changed so that all hashes fit again: what remains wrong is the content.</summary>
internal sealed class SpoiltCheckpoint(string path)
{
    public string Path => path;

    public string this[string file] => System.IO.Path.Combine(path, file);

    /// <summary>Another manifest.</summary>
    public void Manifest(Func<CheckpointManifest, CheckpointManifest> change) =>
        File.WriteAllBytes(this[CheckpointFolder.ManifestFile], change(CheckpointManifest.Read(this[CheckpointFolder.ManifestFile])).Serialize());

    /// <summary>Other content for a file, of which the manifest knows.</summary>
    public void Write(string file, byte[] content)
    {
        File.WriteAllBytes(this[file], content);
        Manifest(manifest => manifest with { Files = [.. manifest.Files.Select(known => known.Name == file ? EntryOf(file, content) : known)] });
    }

    /// <summary>A header of model.safetensors, and zeros as data.</summary>
    public void Header(string json, int dataLength = 8, ulong? claimedLength = null)
    {
        byte[] header = Encoding.UTF8.GetBytes(json);
        byte[] length = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, claimedLength ?? (ulong)header.Length);
        Write(CheckpointFolder.ModelFile, [.. length, .. header, .. new byte[dataLength]]);
    }

    /// <summary>Other tensors of the model, whose hashes the manifest promises.</summary>
    public void Weights(params NamedTensor[] tensors)
    {
        Checkpoint good = CheckpointFolder.Load(path);
        var other = good with { Parameters = tensors, Statistics = [] };
        using var memory = new MemoryStream();
        SafetensorsFile.Write(memory, tensors, good.Metadata);
        Write(CheckpointFolder.ModelFile, memory.ToArray());
        Manifest(manifest => manifest with { StateSha256 = other.StateSha256(), WeightsSha256 = other.WeightsSha256() });
    }

    private static CheckpointFile EntryOf(string file, byte[] content) =>
        new(file, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));
}
