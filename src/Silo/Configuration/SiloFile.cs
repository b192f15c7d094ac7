using ConvNet.Engine.Errors;

namespace ConvNet.Silo.Configuration;

/// <summary>Reads the settings of a silo from a file: YAML with one plain value for each.</summary>
internal static class SiloFile
{
    /// <param name="file">Who named the file. Relative paths in it are relative to its folder.</param>
    /// <param name="problems">Takes a sentence for each key that is none.</param>
    /// <exception cref="ConvNetException">There is no such file, or it holds no YAML of this kind (exit code 3).</exception>
    public static IReadOnlyList<SiloSetting> Read(SiloSetting file, List<string> problems)
    {
        string path = file.Text;
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        IEnumerable<string> keys = SiloKeys.InFiles.Select(key => key.Key);
        var settings = new List<SiloSetting>();
        var yaml = new PlainYaml(
            path,
            $"{file.Source}: configuration file '{path}'",
            (line, _) => $"{path} line {line}",
            "name: node-1",
            isSection: _ => false,
            key => keys.Contains(key) ? " It takes one plain value." : SiloKeys.Hint(key, keys));
        yaml.Read(entry =>
        {
            if (SiloKeys.InFiles.FirstOrDefault(key => key.Key == entry.Key) is { } known)
            {
                string text = known.IsPath && entry.Value.Length > 0 ? Path.GetFullPath(entry.Value, folder) : entry.Value;
                settings.Add(SiloSetting.Entry(known, text, entry.KeyPlace));
            }
            else
            {
                problems.Add($"{entry.KeyPlace}: there is no setting '{entry.Key}'.{SiloKeys.Hint(entry.Key, keys)}");
            }
        });
        return settings;
    }
}
