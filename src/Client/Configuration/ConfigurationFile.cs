using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Models;
using ConvNet.Silo.Configuration;
using YamlDotNet.Serialization;

namespace ConvNet.Client.Configuration;

/// <summary>Reads and writes settings as YAML: nested mappings of plain values, no tags, anchors or lists.</summary>
public static class ConfigurationFile
{
    /// <summary>
    /// The settings of a file. Relative paths of models and data in it are relative to its folder.
    /// </summary>
    /// <exception cref="ConvNetException">All that is wrong with it, with line and column.</exception>
    public static IReadOnlyList<Setting> Read(string path)
    {
        var settings = new List<Setting>();
        var yaml = new PlainYaml(
            path, $"configuration file '{path}'", (line, column) => $"{path}:{line}:{column}", "model: fashion-cnn", IsSection, SectionHint);
        yaml.Read(entry => settings.Add(SettingOf(path, entry)));
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

    private static Setting SettingOf(string path, YamlEntry entry)
    {
        (string key, string value) = (entry.Key, entry.Value);
        ConfigurationKey known = ConfigurationKeys.Find(key)
            ?? throw Error(entry.KeyPlace, $"there is no setting '{key}'.{ConfigurationKeys.Hint(key)}");
        string text = key switch
        {
            "model" => PathIn(path, value, isName: ModelPresets.Find(value) is not null),
            "data.path" => PathIn(path, value, isName: DatasetFiles.Names.Contains(value)),
            _ => value,
        };
        try
        {
            known.Set(new TrainConfiguration(), text);
        }
        catch (ConvNetException e)
        {
            throw Error(entry.Place, e.Message);
        }

        return new Setting(known, text, entry.Place, IsFromFile: true);
    }

    /// <summary>What is no built-in name is a path from the file's folder, wherever the program runs.</summary>
    private static string PathIn(string file, string value, bool isName) =>
        isName || value.Length == 0 ? value : Path.GetFullPath(value, Path.GetDirectoryName(Path.GetFullPath(file))!);

    private static bool IsSection(string key) => ConfigurationKeys.All.Any(known => known.Path.StartsWith(key + ".", StringComparison.Ordinal));

    private static string SectionHint(string key) =>
        NearMatch.Suggest(
            key,
            ConfigurationKeys.All.Where(known => known.Path.Contains('.', StringComparison.Ordinal)).Select(known => known.Path.Split('.')[0]).Distinct());

    private static ConvNetException Error(string place, string message) => ConvNetException.BadInput($"{place}: {message}");
}
