using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;

namespace ConvNet.Engine.Formats;

/// <summary>
/// The safetensors format (Hugging Face): the header's length N as uint64, N bytes of JSON, the data. Written as F32; F32, F64, F16 and
/// BF16 are read, all as float. Tensors lie gapless in the order that the header's offsets give, and the last one ends with the file.
/// </summary>
/// <param name="Tensors">In the order of their data.</param>
/// <param name="Metadata">The header's __metadata__; empty if there is none.</param>
public sealed record SafetensorsFile(IReadOnlyList<NamedTensor> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>Bytes of the longest header that is read: room for some hundred thousand tensors.</summary>
    public const long MaxHeaderLength = 16 << 20;

    /// <summary>Writes the tensors as F32, in ordinal order of their names.</summary>
    /// <exception cref="ArgumentException">A name occurs twice, or a shape does not fit its data.</exception>
    public static void Write(Stream stream, IEnumerable<NamedTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        NamedTensor[] sorted = [.. tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal)];
        for (int i = 0; i < sorted.Length; i++)
        {
            if (sorted[i].Shape.Aggregate(1L, (product, side) => checked(product * side)) != sorted[i].Data.Length)
            {
                throw new ArgumentException($"{sorted[i]} has {sorted[i].Data.Length} values.", nameof(tensors));
            }

            if (sorted[i].Name == SafetensorsHeader.MetadataName || (i > 0 && sorted[i].Name == sorted[i - 1].Name))
            {
                throw new ArgumentException($"The name {sorted[i].Name} is taken.", nameof(tensors));
            }
        }

        byte[] header = Header(sorted, metadata);
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (NamedTensor tensor in sorted)
        {
            stream.Write(MemoryMarshal.AsBytes(tensor.Data.Span));
        }
    }

    /// <summary>Reads a file whole. Nothing is allocated beyond what the file's own length allows.</summary>
    /// <exception cref="ConvNetException">The file is missing, damaged or no safetensors file (exit code 3).</exception>
    public static SafetensorsFile Read(string path)
    {
        try
        {
            using FileStream file = OrdinaryFile.Open(path);
            return Read(file, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ConvNetException.BadInput($"{path}: cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>Reads from a stream of known length; <paramref name="path"/> is for messages.</summary>
    /// <exception cref="ConvNetException">The content is damaged or no safetensors file (exit code 3).</exception>
    public static SafetensorsFile Read(Stream stream, string path)
    {
        Span<byte> lengthBytes = stackalloc byte[sizeof(ulong)];
        if (stream.Length < lengthBytes.Length)
        {
            throw ConvNetException.BadInput(
                $"{path}: has only {stream.Length} bytes. A safetensors file starts with 8 bytes that hold the header's length.");
        }

        stream.ReadExactly(lengthBytes);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(lengthBytes);
        if (length > MaxHeaderLength)
        {
            throw ConvNetException.BadInput(
                $"{path}: the header's length at byte 0 is {length}, more than the allowed {MaxHeaderLength}. This is no safetensors " +
                "file, or it is damaged.");
        }

        if (length > (ulong)stream.Length - 8)
        {
            throw ConvNetException.BadInput(
                $"{path}: the header of {length} bytes does not fit into the file's {stream.Length}. The file is cut off or damaged.");
        }

        byte[] json = new byte[length];
        stream.ReadExactly(json);
        SafetensorsHeader header = SafetensorsHeader.Parse(json, stream.Length - 8 - (long)length, path);
        NamedTensor[] tensors = new NamedTensor[header.Entries.Count];
        for (int i = 0; i < tensors.Length; i++)
        {
            SafetensorsEntry entry = header.Entries[i];
            float[] data = new float[entry.Count];
            ReadValues(stream, entry.Type, data);
            tensors[i] = new NamedTensor(entry.Name, entry.Shape, data);
        }

        return new SafetensorsFile(tensors, header.Metadata);
    }

    private static void ReadValues(Stream stream, string type, Span<float> values)
    {
        if (type == "F32")
        {
            stream.ReadExactly(MemoryMarshal.AsBytes(values));
            return;
        }

        int size = SafetensorsHeader.SizeOf(type);
        byte[] buffer = new byte[Math.Min(values.Length, 8192) * size];
        for (int first = 0; first < values.Length; first += 8192)
        {
            Span<float> part = values[first..Math.Min(values.Length, first + 8192)];
            Span<byte> bytes = buffer.AsSpan(0, part.Length * size);
            stream.ReadExactly(bytes);
            for (int i = 0; i < part.Length; i++)
            {
                ReadOnlySpan<byte> value = bytes.Slice(i * size, size);
                part[i] = type switch
                {
                    "F64" => (float)BinaryPrimitives.ReadDoubleLittleEndian(value),
                    "F16" => (float)BinaryPrimitives.ReadHalfLittleEndian(value),
                    _ => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(value) << 16),
                };
            }
        }
    }

    private static byte[] Header(NamedTensor[] sorted, IReadOnlyDictionary<string, string>? metadata)
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(SafetensorsHeader.MetadataName);
                foreach ((string key, string value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            long offset = 0;
            foreach (NamedTensor tensor in sorted)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", "F32");
                WriteNumbers(json, "shape", tensor.Shape.Select(side => (long)side));
                long end = checked(offset + ((long)tensor.Data.Length * sizeof(float)));
                WriteNumbers(json, "data_offsets", [offset, end]);
                json.WriteEndObject();
                offset = end;
            }

            json.WriteEndObject();
        }

        // Padding to a multiple of 8 keeps the data aligned for readers that map the file.
        while (memory.Length % 8 != 0)
        {
            memory.WriteByte((byte)' ');
        }

        return memory.ToArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (long number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }
}
