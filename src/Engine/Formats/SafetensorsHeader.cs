using System.Text;
using System.Text.Json;
using ConvNet.Engine.Errors;

namespace ConvNet.Engine.Formats;

/// <summary>
/// Strict parser of the JSON header. Names and metadata keys occur once, the offsets cover the data without gap or overlap, and every
/// size is checked before anybody uses it.
/// </summary>
internal sealed class SafetensorsHeader
{
    public const string MetadataName = "__metadata__";

    private const int MaxDimensions = 16;
    private const int MaxListed = 10;

    private const int MaxNameLength = 1000;

    /// <summary>Tensors, and texts beside them, so that a header's memory is a small multiple of its length.</summary>
    private const int MaxEntries = 1 << 16;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly string _path;
    private readonly List<SafetensorsEntry> _entries = [];
    private readonly Dictionary<string, string> _metadata = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    private SafetensorsHeader(string path) => _path = path;

    /// <summary>In the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries => _entries;

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Bytes of one value, or 0 for a type that is not read.</summary>
    public static int SizeOf(string type) => type switch { "F64" => 8, "F32" => 4, "F16" or "BF16" => 2, _ => 0 };

    /// <param name="json">The header, padding included.</param>
    /// <param name="dataLength">Bytes of the file after the header.</param>
    /// <param name="path">For messages.</param>
    /// <exception cref="ConvNetException">The header breaks a rule (exit code 3).</exception>
    public static SafetensorsHeader Parse(byte[] json, long dataLength, string path)
    {
        var header = new SafetensorsHeader(path);
        if (json.Length == 0 || json[0] != (byte)'{')
        {
            throw header.Bad("the header at byte 8 does not start with '{'. This is no safetensors file, or it is damaged");
        }

        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        try
        {
            _ = Strict.GetCharCount(json);
            header.ReadObject(ref reader);
            if (reader.Read())
            {
                throw header.Bad($"something follows the header's JSON at byte {8 + reader.TokenStartIndex}");
            }
        }
        catch (DecoderFallbackException e)
        {
            throw header.Bad($"the header is not UTF-8 at byte {8 + e.Index}. The file is damaged");
        }
        catch (JsonException)
        {
            throw header.Bad($"the header is not valid JSON at byte {8 + reader.BytesConsumed}. The file is damaged");
        }

        header.CheckOffsets(dataLength);
        return header;
    }

    private void ReadObject(ref Utf8JsonReader reader)
    {
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = Name(ref reader);
            if (!_names.Add(name))
            {
                throw Bad($"the name '{name}' occurs twice (byte {8 + reader.TokenStartIndex})");
            }

            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw Bad($"'{name}' is not an object (byte {8 + reader.TokenStartIndex})");
            }

            if (name == MetadataName)
            {
                ReadMetadata(ref reader);
            }
            else if (_entries.Count == MaxEntries)
            {
                throw Bad($"the header names more than {MaxEntries} tensors, which no model has");
            }
            else
            {
                _entries.Add(ReadEntry(ref reader, name));
            }
        }
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = Name(ref reader);
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                throw Bad($"'{key}' in {MetadataName} is not a string (byte {8 + reader.TokenStartIndex})");
            }

            if (_metadata.Count == MaxEntries)
            {
                throw Bad($"{MetadataName} has more than {MaxEntries} texts");
            }

            if (!_metadata.TryAdd(key, Text(ref reader)))
            {
                throw Bad($"'{key}' occurs twice in {MetadataName}");
            }
        }
    }

    private SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        string? type = null;
        List<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = Name(ref reader);
            reader.Read();
            if (key == "dtype" && type is null && reader.TokenType == JsonTokenType.String)
            {
                type = Name(ref reader);
            }
            else if (key == "shape" && shape is null)
            {
                shape = ReadNumbers(ref reader, name, key);
            }
            else if (key == "data_offsets" && offsets is null)
            {
                offsets = ReadNumbers(ref reader, name, key);
            }
            else
            {
                throw Bad($"tensor '{name}': '{key}' is unknown, twice there or of the wrong kind (byte {8 + reader.TokenStartIndex})");
            }
        }

        if (type is null || shape is null || offsets is not { Count: 2 })
        {
            throw Bad($"tensor '{name}' needs dtype, shape and two data_offsets");
        }

        return Checked(name, type, shape, offsets[0], offsets[1]);
    }

    private SafetensorsEntry Checked(string name, string type, List<long> shape, long begin, long end)
    {
        string sides = string.Join(", ", shape);
        int size = SizeOf(type);
        if (size == 0)
        {
            throw Bad($"tensor '{name}' has dtype {type}. Only F32, F64, F16 and BF16 are read; convert the file");
        }

        UInt128 count = 1;
        foreach (long side in shape)
        {
            count *= (ulong)side;
            if (count > (UInt128)Array.MaxLength || side > int.MaxValue)
            {
                throw Bad($"tensor '{name}': shape [{sides}] overflows; at most {Array.MaxLength} values are possible");
            }
        }

        if (end < begin || (UInt128)(ulong)(end - begin) != count * (ulong)size)
        {
            throw Bad(
                $"tensor '{name}': shape [{sides}] of {type} needs {count * (ulong)size} bytes, but data_offsets are [{begin}, {end}]");
        }

        return new SafetensorsEntry(name, type, [.. shape.Select(side => (int)side)], (int)count, begin, end);
    }

    private List<long> ReadNumbers(ref Utf8JsonReader reader, string name, string key)
    {
        var numbers = new List<long>();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw Bad($"tensor '{name}': {key} is not a list (byte {8 + reader.TokenStartIndex})");
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number)
                || number < 0 || numbers.Count == MaxDimensions)
            {
                throw Bad(
                    $"tensor '{name}': {key} must be at most {MaxDimensions} whole numbers from 0 to {long.MaxValue} (byte " +
                    $"{8 + reader.TokenStartIndex})");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    private void CheckOffsets(long dataLength)
    {
        _entries.Sort((a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        var faults = new List<string>();
        long expected = 0;
        foreach (SafetensorsEntry entry in _entries)
        {
            if (entry.Begin != expected)
            {
                faults.Add(
                    $"'{entry.Name}' starts at {entry.Begin} instead of {expected}, " +
                    (entry.Begin < expected ? "overlapping its predecessor" : "leaving a hole"));
            }

            if (entry.End > dataLength)
            {
                faults.Add($"'{entry.Name}' ends at {entry.End}, past the {dataLength} bytes of data");
            }

            expected = entry.End;
        }

        if (faults.Count == 0 && expected != dataLength)
        {
            faults.Add($"{dataLength - expected} bytes follow the last tensor, which ends at {expected}");
        }

        if (faults.Count > 0)
        {
            string rest = faults.Count > MaxListed ? $"; and {faults.Count - MaxListed} more" : "";
            throw Bad(
                $"the data offsets don't cover the file: {string.Join("; ", faults.Take(MaxListed))}{rest}. " +
                "The file is cut off or damaged");
        }
    }

    private string Name(ref Utf8JsonReader reader)
    {
        string name = Text(ref reader);
        return name.Length <= MaxNameLength
            ? name
            : throw Bad($"the name at byte {8 + reader.TokenStartIndex} has {name.Length} characters; at most {MaxNameLength} are read");
    }

    // An escape such as a lone surrogate is valid JSON but no text.
    private string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Bad($"the text at byte {8 + reader.TokenStartIndex} has an invalid escape");
        }
    }

    private ConvNetException Bad(string fault) => ConvNetException.BadInput($"{_path}: {fault}.");
}
