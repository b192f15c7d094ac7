using System.Text.Json;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Models;

/// <summary>Reads and writes models as JSON. All errors are <see cref="ConvNetException"/> with exit code 3.</summary>
public static class ModelFile
{
    /// <summary>Larger files are refused unread.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>More layers than this, those in residual blocks included, are refused.</summary>
    public const int MaxLayers = 1000;

    private const int MaxNameLength = 200;

    /// <summary>A preset by name, or a model file.</summary>
    public static ModelSpec Load(string nameOrPath)
    {
        if (ModelPresets.Find(nameOrPath) is { } preset)
        {
            return preset;
        }

        if (nameOrPath.Length == 0 || !Path.Exists(nameOrPath))
        {
            throw ConvNetException.BadInput(
                $"unknown model '{nameOrPath}': no such file, and the presets are {string.Join(", ", ModelPresets.Names)}." +
                NearMatch.Suggest(Path.GetFileName(nameOrPath), ModelPresets.Names));
        }

        string source = $"model file '{nameOrPath}'";
        return Parse(TextFile.Read(nameOrPath, source, MaxBytes), source);
    }

    /// <summary>Reads and checks a model, every volume included.</summary>
    /// <param name="source">What error messages call it, e.g. "model file 'my.json'".</param>
    public static ModelSpec Parse(string json, string source = "model")
    {
        using JsonDocument document = JsonText.Parse(json, source, ModelJson.MaxDepth);
        ModelFormat.Check(document.RootElement, source);
        ModelSpec spec = document.RootElement.Deserialize<ModelSpec>(ModelJson.Options)!;
        Check(spec, source);
        return spec;
    }

    /// <summary>The model as JSON that <see cref="Parse"/> reads back to the same model.</summary>
    public static string Write(ModelSpec spec) => JsonSerializer.Serialize(spec, ModelJson.Options);

    /// <summary>Refuses what cannot be built, before anything is allocated.</summary>
    private static void Check(ModelSpec spec, string source)
    {
        if (spec.Name.Length > MaxNameLength)
        {
            throw ConvNetException.BadInput($"{source}: \"name\" has {spec.Name.Length} characters; at most {MaxNameLength} fit a screen.");
        }

        (int c, int h, int w) = spec.Input;
        if (Math.Min(c, Math.Min(h, w)) < 1 || Math.Max(c, Math.Max(h, w)) > Window.MaxSize)
        {
            throw ConvNetException.BadInput($"{source}: input {spec.Input} must have sides of 1 ... {Window.MaxSize}.");
        }

        Limits.CheckVolume($"{source}, input", spec.Input);
        if (spec.Layers.Count == 0)
        {
            throw ConvNetException.BadInput($"{source}: \"layers\" is an empty list, but a model has 1 ... {MaxLayers} layers.");
        }

        try
        {
            Shape shape = spec.Input;
            for (int i = 0; i < spec.Layers.Count; i++)
            {
                shape = spec.Layers[i].OutputShape(shape, $"{i}");
            }
        }
        catch (ConvNetException e)
        {
            throw new ConvNetException(e.ExitCode, $"{source}, {e.Message.TrimEnd('.')}.", e);
        }
    }
}
