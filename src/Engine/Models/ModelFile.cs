using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;

namespace ConvNet.Engine.Models;

/// <summary>Reads and writes models as JSON. All errors are <see cref="ConvNetException"/> with exit code 3.</summary>
public static class ModelFile
{
    /// <summary>Larger files are refused unread.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>More layers than this are refused.</summary>
    public const int MaxLayers = 1000;

    /// <summary>A preset by name, or a model file.</summary>
    public static ModelSpec Load(string nameOrPath)
    {
        if (ModelPresets.Find(nameOrPath) is { } preset)
        {
            return preset;
        }

        var file = new FileInfo(nameOrPath);
        if (!file.Exists)
        {
            throw ConvNetException.BadInput(
                $"unknown model '{nameOrPath}': no such file, and the presets are {string.Join(", ", ModelPresets.Names)}." +
                NearMatch.Suggest(Path.GetFileName(nameOrPath), ModelPresets.Names));
        }

        if (file.Length > MaxBytes)
        {
            throw ConvNetException.BadInput(
                $"model file '{nameOrPath}' has {file.Length} bytes, more than the {MaxBytes} allowed; a model file holds the architecture only, no weights.");
        }

        try
        {
            return Parse(File.ReadAllText(nameOrPath), $"model file '{nameOrPath}'");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ConvNetException.BadInput($"model file '{nameOrPath}' cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>Reads and checks a model, every volume included.</summary>
    /// <param name="source">What error messages call it, e.g. "model file 'my.json'".</param>
    public static ModelSpec Parse(string json, string source = "model")
    {
        ModelSpec spec;
        try
        {
            using (JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = ModelJson.MaxDepth }))
            {
                CheckNames(document.RootElement, typeof(ModelSpec), "$", source);
            }

            spec = JsonSerializer.Deserialize<ModelSpec>(json, ModelJson.Options)
                ?? throw ConvNetException.BadInput($"{source} is empty; a model is {{\"name\":...,\"input\":[c,h,w],\"layers\":[...]}}.");
        }
        catch (JsonException e)
        {
            string at = e.LineNumber is { } line ? $"line {line + 1}, {e.Path ?? "$"}: " : "";
            string reason = e.Message.Split(" Path: ")[0].Split(" LineNumber: ")[0];
            throw ConvNetException.BadInput($"{source}, {at}{reason.TrimEnd('.')}.", e);
        }

        Check(spec, source);
        return spec;
    }

    /// <summary>The model as JSON that <see cref="Parse"/> reads back to the same model.</summary>
    public static string Write(ModelSpec spec) => JsonSerializer.Serialize(spec, ModelJson.Options);

    /// <summary>Refuses what cannot be built, before anything is allocated.</summary>
    private static void Check(ModelSpec spec, string source)
    {
        (int c, int h, int w) = spec.Input;
        if (Math.Min(c, Math.Min(h, w)) < 1 || Math.Max(c, Math.Max(h, w)) > Window.MaxSize)
        {
            throw ConvNetException.BadInput($"{source}: input {spec.Input} must have sides of 1 ... {Window.MaxSize}.");
        }

        Limits.CheckVolume($"{source}, input", spec.Input);
        if (spec.Layers.Count is 0 or > MaxLayers)
        {
            throw ConvNetException.BadInput($"{source} has {spec.Layers.Count} layers, but must have 1 ... {MaxLayers}.");
        }

        Shape shape = spec.Input;
        for (int i = 0; i < spec.Layers.Count; i++)
        {
            shape = spec.Layers[i].OutputShape(shape, $"{i}");
        }
    }

    /// <summary>Names the first unknown key or layer type by its path, with the nearest known one.</summary>
    private static void CheckNames(JsonElement element, Type type, string path, string source)
    {
        if (element.ValueKind == JsonValueKind.Array && typeof(IReadOnlyList<LayerSpec>).IsAssignableFrom(type))
        {
            int index = 0;
            foreach (JsonElement item in element.EnumerateArray())
            {
                CheckNames(item, typeof(LayerSpec), $"{path}[{index++}]", source);
            }
        }

        if (element.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        if (type == typeof(LayerSpec))
        {
            type = LayerType(element, path, source);
        }

        Dictionary<string, Type> known = ModelJson.Options.GetTypeInfo(type).Properties.ToDictionary(p => p.Name, p => p.PropertyType);
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (known.TryGetValue(property.Name, out Type? propertyType))
            {
                CheckNames(property.Value, propertyType, $"{path}.{property.Name}", source);
            }
            else if (property.Name != "type" || type == typeof(ModelSpec))
            {
                IEnumerable<string> keys = type == typeof(ModelSpec) ? known.Keys : known.Keys.Prepend("type");
                throw ConvNetException.BadInput(
                    $"{source}, {path}: unknown key \"{property.Name}\"; known: {string.Join(", ", keys)}." +
                    NearMatch.Suggest(property.Name, known.Keys));
            }
        }
    }

    private static Type LayerType(JsonElement layer, string path, string source)
    {
        IList<JsonDerivedType> types = ModelJson.Options.GetTypeInfo(typeof(LayerSpec)).PolymorphismOptions!.DerivedTypes;
        string[] names = [.. types.Select(type => (string)type.TypeDiscriminator!)];
        string? name = layer.TryGetProperty("type", out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        int index = Array.IndexOf(names, name);
        if (index < 0)
        {
            throw ConvNetException.BadInput(
                $"{source}, {path}: " + (name is null ? "a layer needs a \"type\"" : $"unknown layer type \"{name}\"") +
                $"; known: {string.Join(", ", names)}." + NearMatch.Suggest(name ?? "", names));
        }

        return types[index].DerivedType;
    }
}
