using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace ConvNet.Engine.Formats;

/// <summary>
/// Hashes over a training state: for each tensor, in ordinal order of names, its UTF-8 name, a zero byte and its raw float32 data
/// (little-endian, C order); last the step as int64, little-endian. Lower-case SHA-256.
/// </summary>
public static class StateHash
{
    /// <summary>stateSha256: the tensors of model.safetensors, then those of optimizer.safetensors, then the step.</summary>
    public static string State(IEnumerable<NamedTensor> model, IEnumerable<NamedTensor> optimizer, long step)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, model);
        Append(hash, optimizer);
        return Finish(hash, step);
    }

    /// <summary>weightsSha256: the trainable parameters, then the step.</summary>
    public static string Weights(IEnumerable<NamedTensor> parameters, long step)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, parameters);
        return Finish(hash, step);
    }

    private static void Append(IncrementalHash hash, IEnumerable<NamedTensor> tensors)
    {
        foreach (NamedTensor tensor in tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(tensor.Name));
            hash.AppendData([0]);
            hash.AppendData(MemoryMarshal.AsBytes(tensor.Data.Span));
        }
    }

    private static string Finish(IncrementalHash hash, long step)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, step);
        hash.AppendData(bytes);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
