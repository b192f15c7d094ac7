using System.Text;
using System.Text.Json;
using ConvNet.Engine.Errors;

namespace ConvNet.Engine.Files;

/// <summary>
/// Reads JSON that others wrote: no key twice in an object, no NUL and no half character in a text, bounded depth. Errors name line and
/// column, or the path to the place, such as layers[3].main[0].
/// </summary>
public static class JsonText
{
    private const int MaxShown = 40;

    /// <param name="source">What error messages call the text, e.g. "model file 'my.json'".</param>
    /// <param name="maxDepth">Objects and lists within each other.</param>
    /// <exception cref="ConvNetException">The text is not such JSON (exit code 3).</exception>
    public static JsonDocument Parse(string text, string source, int maxDepth)
    {
        byte[] json = Encoding.UTF8.GetBytes(text);
        if (string.IsNullOrWhiteSpace(text))
        {
            throw ConvNetException.BadInput($"{source} is empty; it must hold JSON.");
        }

        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth + 1 });
            reader.Read();
            Check(ref reader, "", source, maxDepth);
            reader.Read();
            return JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = maxDepth });
        }
        catch (JsonException e)
        {
            throw ConvNetException.BadInput($"{source}, {Words(json, (int)(e.LineNumber ?? 0), (int)(e.BytePositionInLine ?? 0))}.", e);
        }
    }

    /// <summary>Makes a record from checked JSON. The library's own messages name types of the program, so they are left out.</summary>
    /// <exception cref="ConvNetException">Something is missing or of another kind (exit code 3).</exception>
    public static T Make<T>(JsonDocument json, string source, JsonSerializerOptions options)
    {
        string place = "";
        try
        {
            if (json.Deserialize<T>(options) is { } made)
            {
                return made;
            }
        }
        catch (JsonException e)
        {
            place = e.Path?.TrimStart('$').TrimStart('.') ?? "";
        }
        catch (NotSupportedException)
        {
            // A choice between records without the key that decides.
        }

        throw ConvNetException.BadInput(
            $"{source}, {Place(place)}: a value is missing or not of the kind that belongs there. Was it written by another version, or changed?");
    }

    /// <summary>The path of a key's value: "layers", "layers[0].main".</summary>
    public static string Join(string path, string key) => path.Length == 0 ? Short(key) : $"{path}.{Short(key)}";

    /// <summary>A value as a message shows it: itself, or what kind of thing it is.</summary>
    public static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object {...}",
        JsonValueKind.Array => value.GetArrayLength() == 0 ? "an empty list" : $"a list of {value.GetArrayLength()}",
        JsonValueKind.String => $"\"{Short(value.GetString()!)}\"",
        _ => Short(value.GetRawText()),
    };

    /// <summary>A name of any length, short enough for a message.</summary>
    public static string Short(string name) => name.Length <= MaxShown ? name : $"{name[..(MaxShown - 1)]}…";

    private static void Check(ref Utf8JsonReader reader, string path, string source, int depth)
    {
        if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray && depth == 0)
        {
            throw ConvNetException.BadInput($"{source}, {Place(path)}: objects and lists are nested too deep within each other.");
        }

        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var names = new HashSet<string>(StringComparer.Ordinal);
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    string name = Text(ref reader, path, source);
                    if (!names.Add(name))
                    {
                        throw ConvNetException.BadInput($"{source}, {Place(path)}: the key \"{Short(name)}\" is given twice.");
                    }

                    reader.Read();
                    Check(ref reader, HasPlace(reader.TokenType) ? Join(path, name) : path, source, depth - 1);
                }

                break;
            case JsonTokenType.StartArray:
                for (int i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
                {
                    Check(ref reader, HasPlace(reader.TokenType) ? $"{path}[{i}]" : path, source, depth - 1);
                }

                break;
            case JsonTokenType.String:
                Text(ref reader, path, source);
                break;
        }
    }

    // Only these can be wrong; a path for each of a million numbers would cost more than the numbers.
    private static bool HasPlace(JsonTokenType type) => type is JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.String;

    private static string Text(ref Utf8JsonReader reader, string path, string source)
    {
        string text;
        try
        {
            text = reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw ConvNetException.BadInput($"{source}, {Place(path)}: a text has half a character (a \\u escape without its partner).", e);
        }

        return text.Contains('\0', StringComparison.Ordinal)
            ? throw ConvNetException.BadInput($"{source}, {Place(path)}: a text holds a NUL (\\u0000), which no name or path can have.")
            : text;
    }

    private static string Place(string path) => path.Length == 0 ? "at the top" : path;

    private static string Words(byte[] json, int line, int position)
    {
        int start = 0;
        for (int i = 0; i < line; i++)
        {
            start += json.AsSpan(start).IndexOf((byte)'\n') + 1;
        }

        int at = Math.Min(json.Length, start + position);
        string place = $"line {line + 1}, column {1 + Encoding.UTF8.GetCharCount(json.AsSpan(start, at - start))}: not valid JSON";
        if (json.AsSpan(at).Trim(" \t\r\n"u8).Length == 0)
        {
            return $"{place}: the text ends before everything is closed";
        }

        Rune.DecodeFromUtf8(json.AsSpan(at), out Rune unexpected, out _);
        string hint = unexpected.Value switch
        {
            '\'' => ", texts stand in double quotes",
            '/' or '#' => ", JSON has no comments",
            '}' or ']' => ", is there a comma too many before it",
            _ => "",
        };
        string shown = Rune.IsControl(unexpected) ? $"the character {unexpected.Value:x2} (hex)" : $"'{unexpected}'";
        return $"{place}: {shown} is not expected here{hint}";
    }
}
