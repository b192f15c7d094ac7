using System.Text.RegularExpressions;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;

namespace ConvNet.Grains.Checkpoints;

/// <summary>
/// Where a silo keeps the checkpoints of jobs whose clients do not share its disk: one folder for each submission, for its owner alone. Silos of one
/// user may share it: the folder of a live job is never older than minutes, and old ones go, whoever made them.
/// </summary>
/// <param name="root">Made when it is first needed; null: convnet/checkpoints in the user's cache.</param>
/// <param name="keep">How long a job's checkpoints stay when nobody needs them.</param>
public sealed partial class CheckpointCache(string? root, TimeSpan keep)
{
    /// <summary>Folders that nobody needs, however young.</summary>
    public const int MostUnused = 16;

    public static readonly TimeSpan DefaultKeep = TimeSpan.FromMinutes(60);

    /// <summary>A folder that was touched since then may be of a live job.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(5);

    /// <summary>How often a live job's folder is touched.</summary>
    public TimeSpan TouchPeriod { get; } = TimeSpan.FromSeconds(Math.Clamp(keep.TotalSeconds / 10, 1, 60));

    /// <summary>Makes the folder of a submission, and finds out whether it can be written; old ones go.</summary>
    /// <exception cref="ConvNetException">It cannot be written (exit code 3), or the disk is full (7).</exception>
    public string Open(string submissionId)
    {
        string folder = FolderOf(submissionId);
        string trial = Path.Combine(folder, ".trial");
        try
        {
            PrivateFile.CreateFolder(Path.GetDirectoryName(folder)!);
            PrivateFile.CreateFolder(folder);
            PrivateFile.WriteText(trial, submissionId);
            File.Delete(trial);
            Touch(submissionId);
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            throw new ConvNetException(
                FileFailure.CodeOf(e),
                $"this silo does not see the client's folder, and its own for checkpoints, '{folder}', cannot be written: {e.Message.TrimEnd('.')}. " +
                "Free some space, start the silo with another --cache, or use a folder that client and silo share.",
                e);
        }

        Sweep();
        return folder;
    }

    /// <summary>Keeps a folder for another while.</summary>
    public void Touch(string submissionId)
    {
        string folder = FolderOf(submissionId);
        if (Directory.Exists(folder))
        {
            Directory.SetLastWriteTimeUtc(folder, DateTime.UtcNow);
        }
    }

    /// <summary>Deletes a folder that nobody has touched for so long that it is not kept.</summary>
    /// <returns>True if it is not there any more.</returns>
    public bool IsOver(string submissionId)
    {
        string folder = FolderOf(submissionId);
        if (Directory.Exists(folder) && AgeOf(folder) >= keep)
        {
            CheckpointStore.TryDelete(folder);
        }

        return !Directory.Exists(folder);
    }

    /// <summary>Deletes the folders of submissions that nobody needs: all that are too old, and the oldest of too many. Nothing else is touched.</summary>
    public void Sweep()
    {
        try
        {
            if (RootOrNull() is { } place && Directory.Exists(place))
            {
                SweepIn(place);
            }
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            // Whoever can read the folder sweeps it; a job that needs it is told what is wrong.
        }
    }

    private static TimeSpan AgeOf(string folder) => DateTime.UtcNow - Directory.GetLastWriteTimeUtc(folder);

    private void SweepIn(string place)
    {
        (string Path, TimeSpan Age)[] unused =
        [
            .. new DirectoryInfo(place).EnumerateDirectories().Where(folder => folder.LinkTarget is null && Name().IsMatch(folder.Name))
                .Select(folder => (folder.FullName, Age: AgeOf(folder.FullName))).Where(folder => folder.Age >= Fresh || folder.Age >= keep)
                .OrderBy(folder => folder.Age),
        ];
        foreach ((string path, TimeSpan age) in unused.Where((folder, i) => i >= MostUnused || folder.Age >= keep + Fresh))
        {
            CheckpointStore.TryDelete(path);
        }
    }

    private string? RootOrNull()
    {
        if (root is not null)
        {
            return Path.GetFullPath(root);
        }

        string? cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        cache = Path.IsPathFullyQualified(cache ?? "") ? cache : home.Length > 0 ? Path.Combine(home, ".cache") : null;
        return cache is null ? null : Path.Combine(cache, "convnet", "checkpoints");
    }

    private string FolderOf(string submissionId)
    {
        string place = RootOrNull() ?? throw ConvNetException.BadInput(
            "this silo does not see the client's folder, and has no place for checkpoints of its own, as neither HOME nor XDG_CACHE_HOME is set; " +
            "start it with --cache DIR.");
        return Name().IsMatch(submissionId) ? Path.Combine(place, submissionId) : throw ConvNetException.BadInput(
            "a submission is named by 32 hexadecimal digits; submit the job with a client of this version.");
    }

    [GeneratedRegex(@"^[0-9a-f]{32}\z")]
    private static partial Regex Name();
}
