using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Models;
using ConvNet.Engine.Files;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace ConvNet.Client.Configuration;

/// <summary>Reads and writes settings as YAML: nested mappings of plain values, no tags, anchors or lists.</summary>
public static class ConfigurationFile
{
    private const int MaxBytes = 1 << 20;
    private const int MaxDepth = 8;

    /// <summary>
    /// The settings of a file. Relative paths of models and data in it are relative to its folder.
    /// </summary>
    /// <exception cref="ConvNetException">All that is wrong with it, with line and column.</exception>
    public static IReadOnlyList<Setting> Read(string path)
    {
        string text = TextFile.Read(path, $"configuration file '{path}'", MaxBytes);
        CheckIndents(text, path);
        var settings = new List<Setting>();
        using var reader = new StringReader(text);
        var parser = new Parser(reader);
        try
        {
            parser.Consume<StreamStart>();
            if (parser.TryConsume<DocumentStart>(out _))
            {
                ReadDocument(parser, path, settings);
                if (!parser.TryConsume<StreamEnd>(out _))
                {
                    throw Error(path, parser.Current!, "a configuration file holds one document.");
                }
            }
        }
        catch (YamlException e)
        {
            throw ConvNetException.BadInput($"{path}:{e.Start.Line}:{e.Start.Column}: not valid YAML: {e.Message.TrimEnd('.')}.", e);
        }

        catch (InvalidOperationException e)
        {
            // The library's scanner trips over text that ends within a flow mapping.
            Mark last = parser.Current?.End ?? Mark.Empty;
            throw ConvNetException.BadInput($"{path}:{last.Line}:{last.Column}: not valid YAML: what follows cannot be read.", e);
        }

        return settings;
    }

    /// <summary>The configuration as YAML that <see cref="Read"/> reads back to the same values.</summary>
    public static string Write(TrainConfiguration configuration)
    {
        var root = new Dictionary<string, object>();
        foreach (ConfigurationKey key in ConfigurationKeys.All)
        {
            if (key.Get(configuration) is not { } value)
            {
                continue;
            }

            string[] parts = key.Path.Split('.');
            Dictionary<string, object> section = root;
            foreach (string part in parts[..^1])
            {
                section = (Dictionary<string, object>)(section.TryGetValue(part, out object? known)
                    ? known
                    : section[part] = new Dictionary<string, object>());
            }

            section[parts[^1]] = value;
        }

        return new SerializerBuilder().WithQuotingNecessaryStrings().Build().Serialize(root);
    }

    // The parser reports a tab at the start of the whole block.
    private static void CheckIndents(string text, string path)
    {
        int line = 0;
        foreach (ReadOnlySpan<char> row in text.AsSpan().EnumerateLines())
        {
            line++;
            int indent = row.IndexOfAnyExcept(' ', '\t');
            int tab = indent < 0 ? -1 : row[..indent].IndexOf('\t');
            if (tab >= 0)
            {
                throw ConvNetException.BadInput($"{path}:{line}:{tab + 1}: not valid YAML: a tab in front of text; indent with spaces.");
            }
        }
    }

    private static void ReadDocument(Parser parser, string path, List<Setting> settings)
    {
        if (parser.Current is Scalar { Value.Length: 0 })
        {
            parser.MoveNext();
        }
        else if (parser.Current is MappingStart)
        {
            ReadMapping(parser, path, "", settings, depth: 1);
        }
        else
        {
            throw Error(path, parser.Current!, "expected settings such as 'model: fashion-cnn'.");
        }

        parser.Consume<DocumentEnd>();
    }

    private static void ReadMapping(Parser parser, string path, string prefix, List<Setting> settings, int depth)
    {
        Refuse(parser.Current!, path);
        parser.Consume<MappingStart>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            Refuse(parser.Current!, path);
            if (parser.Current is not Scalar name)
            {
                throw Error(path, parser.Current!, "a key must be plain text.");
            }

            parser.MoveNext();
            string key = prefix + name.Value;
            switch (parser.Current)
            {
                case MappingStart when depth < MaxDepth && ConfigurationKeys.All.Any(known => known.Path.StartsWith(key + ".", StringComparison.Ordinal)):
                    ReadMapping(parser, path, key + ".", settings, depth + 1);
                    break;
                case Scalar value:
                    Refuse(value, path);
                    Add(settings, path, name, key, value);
                    parser.MoveNext();
                    break;
                case MappingStart:
                    throw Error(path, name, $"there is no section '{key}'.{SectionHint(key)}");
                default:
                    throw Error(path, parser.Current!, $"'{key}' takes one plain value.");
            }
        }
    }

    private static void Add(List<Setting> settings, string path, Scalar name, string key, Scalar value)
    {
        ConfigurationKey known = ConfigurationKeys.Find(key)
            ?? throw Error(path, name, $"there is no setting '{key}'.{ConfigurationKeys.Hint(key)}");
        if (settings.Any(setting => setting.Key == known))
        {
            throw Error(path, name, $"'{key}' is given twice.");
        }

        if (value.Value.Contains('\0', StringComparison.Ordinal))
        {
            throw Error(path, value, $"'{key}' holds a NUL, which no name or path can have.");
        }

        string text = key switch
        {
            "model" => PathIn(path, value.Value, isName: ModelPresets.Find(value.Value) is not null),
            "data.path" => PathIn(path, value.Value, isName: DatasetFiles.Names.Contains(value.Value)),
            _ => value.Value,
        };
        try
        {
            known.Set(new TrainConfiguration(), text);
        }
        catch (ConvNetException e)
        {
            throw Error(path, value, e.Message);
        }

        settings.Add(new Setting(known, text, $"{path}:{value.Start.Line}:{value.Start.Column}", IsFromFile: true));
    }

    /// <summary>What is no built-in name is a path from the file's folder, wherever the program runs.</summary>
    private static string PathIn(string file, string value, bool isName) => isName || value.Length == 0 || value.Contains('\0', StringComparison.Ordinal)
        ? value
        : Path.GetFullPath(value, Path.GetDirectoryName(Path.GetFullPath(file))!);

    private static void Refuse(ParsingEvent node, string path)
    {
        if (node is AnchorAlias || node is NodeEvent { Anchor.IsEmpty: false })
        {
            throw Error(path, node, "anchors and aliases are not allowed.");
        }

        if (node is NodeEvent { Tag.IsEmpty: false })
        {
            throw Error(path, node, "tags are not allowed.");
        }
    }

    private static string SectionHint(string key) =>
        NearMatch.Suggest(
            key,
            ConfigurationKeys.All.Where(known => known.Path.Contains('.', StringComparison.Ordinal)).Select(known => known.Path.Split('.')[0]).Distinct());

    private static ConvNetException Error(string path, ParsingEvent at, string message) =>
        ConvNetException.BadInput($"{path}:{at.Start.Line}:{at.Start.Column}: {message}");
}
