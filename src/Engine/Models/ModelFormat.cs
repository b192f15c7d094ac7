using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;

namespace ConvNet.Engine.Models;

/// <summary>
/// Compares the JSON of a model with what its records take, before they are made from it, so that every fault is told in the format's own
/// words: the place (layers[3].main[0] and the layer's type), the key, its value, and which values there are.
/// </summary>
internal sealed class ModelFormat
{
    private const string Example = "{\"name\":...,\"input\":[c,h,w],\"layers\":[...]}";
    private static readonly string[] LayerTypes =
        [.. ModelJson.Options.GetTypeInfo(typeof(LayerSpec)).PolymorphismOptions!.DerivedTypes.Select(type => (string)type.TypeDiscriminator!)];

    private readonly string _source;
    private int _layers;

    private ModelFormat(string source) => _source = source;

    /// <exception cref="ConvNetException">The first fault (exit code 3).</exception>
    public static void Check(JsonElement model, string source)
    {
        var format = new ModelFormat(source);
        if (model.ValueKind != JsonValueKind.Object)
        {
            throw format.Bad("", $"a model is an object {Example}, not {JsonText.Describe(model)}");
        }

        format.CheckKeys(model, typeof(ModelSpec), "", "", "model");
    }

    private void CheckKeys(JsonElement element, Type type, string path, string place, string noun)
    {
        IList<JsonPropertyInfo> known = ModelJson.Options.GetTypeInfo(type).Properties;
        bool isLayer = type != typeof(ModelSpec);
        foreach (JsonProperty property in element.EnumerateObject().Where(property => !isLayer || property.Name != "type"))
        {
            Type valueType = known.FirstOrDefault(info => info.Name == property.Name)?.PropertyType
                ?? throw Unknown(property.Name, isLayer ? known.Select(info => info.Name).Prepend("type") : known.Select(info => info.Name), place);
            if (valueType.IsAssignableTo(typeof(IReadOnlyList<LayerSpec>)))
            {
                CheckLayers(property.Value, property.Name, JsonText.Join(path, property.Name), place);
            }
            else if (!Fits(property.Value, Nullable.GetUnderlyingType(valueType) ?? valueType))
            {
                throw Wrong(property, Nullable.GetUnderlyingType(valueType) ?? valueType, place);
            }
        }

        string[] needed = [.. known.Where(info => info.IsRequired).Select(info => info.Name)];
        if (needed.FirstOrDefault(name => !element.TryGetProperty(name, out _)) is { } missing)
        {
            throw Bad(place, $"\"{missing}\" is missing; a {noun} needs {List(needed, "and")}");
        }
    }

    private void CheckLayers(JsonElement layers, string key, string path, string place)
    {
        if (layers.ValueKind != JsonValueKind.Array)
        {
            throw Bad(place, $"\"{key}\" is {JsonText.Describe(layers)}; it must be a list of layers [{{\"type\":...}}, ...]");
        }

        int index = 0;
        foreach (JsonElement layer in layers.EnumerateArray())
        {
            string at = $"{path}[{index++}]";
            if (++_layers > ModelFile.MaxLayers)
            {
                throw Bad(at, $"this is layer {_layers}, counting those in residual blocks; a model has at most {ModelFile.MaxLayers}");
            }

            (string name, Type type) = LayerType(layer, at);
            CheckKeys(layer, type, at, $"{at} ({name})", name);
        }
    }

    private (string Name, Type Type) LayerType(JsonElement layer, string place)
    {
        if (layer.ValueKind != JsonValueKind.Object)
        {
            throw Bad(place, $"a layer is an object such as {{\"type\":\"relu\"}}, not {JsonText.Describe(layer)}");
        }

        if (!layer.TryGetProperty("type", out JsonElement type))
        {
            throw Bad(place, $"a layer needs a \"type\"; known: {string.Join(", ", LayerTypes)}");
        }

        if (type.ValueKind != JsonValueKind.String)
        {
            throw Bad(place, $"\"type\" is {JsonText.Describe(type)}; it must be one of {List(LayerTypes, "or")}");
        }

        string name = type.GetString()!;
        int index = Array.IndexOf(LayerTypes, name);
        return index >= 0
            ? (name, ModelJson.Options.GetTypeInfo(typeof(LayerSpec)).PolymorphismOptions!.DerivedTypes[index].DerivedType)
            : throw Bad(place, $"unknown layer type {JsonText.Describe(type)}; known: {string.Join(", ", LayerTypes)}", NearMatch.Suggest(name, LayerTypes));
    }

    private static bool Fits(JsonElement value, Type type)
    {
        if (type == typeof(int))
        {
            return IsWhole(value);
        }

        if (type == typeof(bool))
        {
            return value.ValueKind is JsonValueKind.True or JsonValueKind.False;
        }

        if (type == typeof(double))
        {
            return value.ValueKind == JsonValueKind.Number && double.IsFinite(value.GetDouble());
        }

        if (type == typeof(Size) || type == typeof(Padding))
        {
            bool isSame = type == typeof(Padding) && value.ValueKind == JsonValueKind.String && value.ValueEquals("same");
            return isSame || IsWhole(value) || IsWholes(value, 2);
        }

        return type == typeof(Shape)
            ? IsWholes(value, 3)
            : value.ValueKind == JsonValueKind.String && (!type.IsEnum || Values(type).Contains(value.GetString()));
    }

    private static bool IsWhole(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out _);

    private static bool IsWholes(JsonElement value, int count) =>
        value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == count && value.EnumerateArray().All(IsWhole);

    private static string[] Values(Type choice) => [.. Enum.GetNames(choice).Select(JsonNamingPolicy.CamelCase.ConvertName)];

    private static string Expected(Type type) =>
        type == typeof(int) ? "a whole number"
        : type == typeof(bool) ? "true or false"
        : type == typeof(double) ? "a number"
        : type == typeof(Size) ? "a whole number or [height, width]"
        : type == typeof(Padding) ? "a whole number or [height, width] or \"same\""
        : type == typeof(Shape) ? "[channels, height, width], three whole numbers"
        : type.IsEnum ? List(Values(type), "or")
        : "a text";

    private ConvNetException Wrong(JsonProperty property, Type type, string place)
    {
        JsonElement value = property.Value;
        string shown = value.ValueKind == JsonValueKind.Array ? JsonText.Short(value.GetRawText()) : JsonText.Describe(value);
        string rule = value.ValueKind == JsonValueKind.Null ? " (leave out a key that has no value)"
            : type == typeof(string) || type.IsEnum || type == typeof(bool) ? ""
            : value.ValueKind == JsonValueKind.String ? ", without quotes"
            : type == typeof(double) ? ", not too large for one"
            : string.Create(CultureInfo.InvariantCulture, $", in digits only, at most {int.MaxValue}");
        string word = value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        return Bad(place, $"\"{property.Name}\" is {shown}; it must be {Expected(type)}{rule}", type.IsEnum ? NearMatch.Suggest(word, Values(type)) : "");
    }

    private ConvNetException Unknown(string key, IEnumerable<string> known, string place) =>
        Bad(place, $"unknown key \"{JsonText.Short(key)}\"; known: {string.Join(", ", known)}", NearMatch.Suggest(key, known));

    private static string List(string[] names, string word)
    {
        string[] quoted = [.. names.Select(name => $"\"{name}\"")];
        return quoted.Length == 1 ? quoted[0] : $"{string.Join(", ", quoted[..^1])} {word} {quoted[^1]}";
    }

    private ConvNetException Bad(string place, string fault, string hint = "") =>
        ConvNetException.BadInput($"{_source}{(place.Length == 0 ? "" : $", {place}")}: {fault}.{hint}");
}
