namespace ConvNet.Grains.Checkpoints;

/// <summary>
/// The checkpoints that a writer has made, or found whole, and that nobody has touched since: reading them again and again, only to know which older ones may
/// go, would cost training more than writing them.
/// </summary>
internal sealed class VerifiedCheckpoints
{
    private readonly Dictionary<string, string> _known = [];

    /// <summary>It was just written: its hashes are those of what was flushed.</summary>
    public void Add(string path) => _known[path] = TraitsOf(path);

    public bool IsWhole(string path)
    {
        string traits = TraitsOf(path);
        if (_known.TryGetValue(path, out string? known) && known == traits)
        {
            return true;
        }

        bool isWhole = CheckpointFolder.Verify(path).Ok;
        if (isWhole)
        {
            _known[path] = traits;
        }

        return isWhole;
    }

    /// <summary>Sizes and times of a checkpoint's files.</summary>
    private static string TraitsOf(string path) => string.Join(
        ' ',
        CheckpointFolder.Files.Append(CheckpointFolder.ManifestFile).Select(name => new FileInfo(Path.Combine(path, name)))
            .Select(file => file.Exists ? $"{file.Length}:{file.LastWriteTimeUtc.Ticks}" : "none"));
}
