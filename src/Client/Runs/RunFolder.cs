using ConvNet.Engine;

namespace ConvNet.Client.Runs;

/// <summary>
/// The folder of one run: config.resolved.yaml, metrics.csv, events.jsonl, logs/, checkpoints/. The process that creates
/// events.jsonl in it owns it, so that two runs never share one.
/// </summary>
public sealed class RunFolder
{
    private const int MaxNumber = 9999;

    private RunFolder(string path) => FullPath = path;

    public string FullPath { get; }

    public string ConfigurationPath => Path.Combine(FullPath, "config.resolved.yaml");

    public string MetricsPath => Path.Combine(FullPath, "metrics.csv");

    public string EventsPath => Path.Combine(FullPath, "events.jsonl");

    public string LogPath => Path.Combine(FullPath, "logs", "client.clef");

    public string CheckpointsPath => Path.Combine(FullPath, "checkpoints");

    /// <summary>Creates the folder that the user named.</summary>
    /// <exception cref="ConvNetException">Code 6 if it is there and not empty.</exception>
    public static RunFolder Create(string path)
    {
        string full = Path.GetFullPath(path);
        if (File.Exists(full))
        {
            throw new ConvNetException(ExitCode.Conflict, $"--out: '{path}' is a file; name a folder that does not exist or is empty.");
        }

        return TryClaim(full) ?? throw new ConvNetException(
            ExitCode.Conflict,
            $"--out: '{path}' exists and is not empty. Name another folder, or go on with that run: convnet resume {path}");
    }

    /// <summary>Creates the next of train-0001, train-0002 … and lets <c>latest</c> point to it.</summary>
    public static RunFolder CreateNext(string runs)
    {
        string full = Path.GetFullPath(runs);
        Directory.CreateDirectory(full);
        int number = 1 + Directory.EnumerateFileSystemEntries(full, "train-*")
            .Select(path => int.TryParse(Path.GetFileName(path)["train-".Length..], out int known) ? known : 0)
            .DefaultIfEmpty(0)
            .Max();
        for (; number <= MaxNumber; number++)
        {
            if (TryClaim(Path.Combine(full, $"train-{number:D4}")) is { } folder)
            {
                PointLatestTo(full, folder.FullPath);
                return folder;
            }
        }

        throw new ConvNetException(ExitCode.Conflict, $"'{runs}' already holds run {MaxNumber}; delete old runs or name a folder with --out.");
    }

    /// <summary>The run folder of an earlier run, or null if this is none.</summary>
    public static RunFolder? TryOpen(string path)
    {
        string full = Path.GetFullPath(path);
        return Directory.Exists(Path.Combine(full, "checkpoints")) || File.Exists(Path.Combine(full, "config.resolved.yaml"))
            ? new RunFolder(full)
            : null;
    }

    private static RunFolder? TryClaim(string full)
    {
        if (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any())
        {
            return null;
        }

        var folder = new RunFolder(full);
        Directory.CreateDirectory(full);
        try
        {
            new FileStream(folder.EventsPath, FileMode.CreateNew).Dispose();
        }
        catch (IOException) when (File.Exists(folder.EventsPath))
        {
            return null;
        }

        Directory.CreateDirectory(Path.Combine(full, "logs"));
        Directory.CreateDirectory(folder.CheckpointsPath);
        return folder;
    }

    /// <summary>A convenience for people: that a file system has no links, or that another run won a race, is no failure.</summary>
    private static void PointLatestTo(string runs, string folder)
    {
        string latest = Path.Combine(runs, "latest");
        try
        {
            if (new DirectoryInfo(latest).LinkTarget is not null)
            {
                File.Delete(latest);
            }

            Directory.CreateSymbolicLink(latest, Path.GetFileName(folder));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Serilog.Log.Warning(e, "Could not point {Latest} to {Folder}", latest, folder);
        }
    }
}
