using System.Text.Json;
using System.Text.Json.Nodes;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;
using ConvNet.Engine.Formats;
using ConvNet.Grains.Checkpoints;

namespace ConvNet.Grains.Runs;

/// <summary>
/// The folder of one run: config.resolved.yaml, metrics.csv, events.jsonl, logs/, checkpoints/. The process that creates
/// events.jsonl in it owns it, so that two runs never share one. All of it is for its owner alone.
/// </summary>
public sealed class RunFolder
{
    /// <summary>As the configuration in the folder names it.</summary>
    public const string ModelName = "model.json";

    private const int MaxNumber = 9999;
    private const string LockName = ".lock";

    /// <summary>How .NET reports a lock that another process holds: errno EWOULDBLOCK, or the code of Windows.</summary>
    private const int WouldBlock = 11, SharingViolation = 32;

    private RunFolder(string path) => FullPath = path;

    public string FullPath { get; }

    public string ConfigurationPath => Path.Combine(FullPath, "config.resolved.yaml");

    /// <summary>A copy of the model, unless it is a preset: the folder stands alone.</summary>
    public string ModelPath => Path.Combine(FullPath, ModelName);

    public string MetricsPath => Path.Combine(FullPath, MetricsFile.Name);

    public string EventsPath => Path.Combine(FullPath, "events.jsonl");

    public string LogPath => Path.Combine(FullPath, "logs", "client.clef");

    public string CheckpointsPath => Path.Combine(FullPath, CheckpointStore.FolderName);

    public bool HasCheckpoint => Directory.Exists(CheckpointsPath) && Directory.EnumerateDirectories(CheckpointsPath, CheckpointFolder.Prefix + "*").Any();

    /// <summary>This process created it.</summary>
    public bool IsNew { get; private init; }

    private bool IsNumbered { get; init; }

    /// <summary>
    /// Keeps other sessions out of the folder until it is disposed of; the operating system lets go when the process dies.
    /// </summary>
    /// <param name="isLeft">
    /// Whoever has locked it is known to be lost: a process that is only frozen keeps its lock, and takes it along with the old file.
    /// </param>
    /// <exception cref="ConvNetException">Another process trains in this folder (exit code 6).</exception>
    public IDisposable Lock(bool isLeft = false)
    {
        try
        {
            if (isLeft)
            {
                File.Delete(Path.Combine(FullPath, LockName));
            }

            return PrivateFile.Open(Path.Combine(FullPath, LockName), FileMode.OpenOrCreate, FileShare.None);
        }
        catch (IOException e) when ((e.HResult & 0xFFFF) is WouldBlock or SharingViolation)
        {
            throw new ConvNetException(
                ExitCode.Conflict,
                $"'{FullPath}' is in use by another run of train or resume; wait for its end, or stop it with Ctrl-C, or a detached one with 'job cancel'.",
                e);
        }
    }

    /// <summary>Takes a new folder away again if nothing was trained in it.</summary>
    public void DeleteUnlessTrained()
    {
        if (IsNew && !HasCheckpoint && Directory.Exists(FullPath))
        {
            Directory.Delete(FullPath, recursive: true);
        }
    }

    /// <summary>Creates the folder that the user named.</summary>
    /// <exception cref="ConvNetException">Code 6 if it is there and not empty.</exception>
    public static RunFolder Create(string path, DurableDisk? disk = null)
    {
        string full = Path.GetFullPath(path);
        if (File.Exists(full))
        {
            throw new ConvNetException(ExitCode.Conflict, $"--out: '{path}' is a file; name a folder that does not exist or is empty.");
        }

        return TryClaim(full, disk ?? DurableDisk.Machine) ?? throw new ConvNetException(
            ExitCode.Conflict,
            $"--out: '{path}' exists and is not empty. Name another folder" +
            (new RunFolder(full).HasCheckpoint ? $", or go on with that run: 'convnet resume {path}'." : "."));
    }

    /// <summary>Creates the next of train-0001, train-0002 …; <see cref="PointLatestHere"/> once it has begun.</summary>
    public static RunFolder CreateNext(string runs)
    {
        string full = Path.GetFullPath(runs);
        DurableDisk.Machine.CreateFolders(full);
        int number = 1 + Directory.EnumerateFileSystemEntries(full, "train-*")
            .Select(path => int.TryParse(Path.GetFileName(path)["train-".Length..], out int known) ? known : 0)
            .DefaultIfEmpty(0)
            .Max();
        for (; number <= MaxNumber; number++)
        {
            if (TryClaim(Path.Combine(full, $"train-{number:D4}"), DurableDisk.Machine, isNumbered: true) is { } folder)
            {
                return folder;
            }
        }

        throw new ConvNetException(ExitCode.Conflict, $"'{runs}' already holds run {MaxNumber}; delete old runs or name a folder with --out.");
    }

    /// <summary>
    /// Lets <c>latest</c> point to this folder if it is one of the numbered ones.
    /// A convenience for people: that a file system has no links, or that another run won a race, is no failure.
    /// </summary>
    public void PointLatestHere()
    {
        if (!IsNumbered)
        {
            return;
        }

        string latest = Path.Combine(FullPath, "..", "latest");
        try
        {
            if (new DirectoryInfo(latest).LinkTarget is not null)
            {
                File.Delete(latest);
            }

            Directory.CreateSymbolicLink(latest, Path.GetFileName(FullPath));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder has its number all the same.
        }
    }

    /// <summary>The run folder of an earlier run, or null if this is none.</summary>
    /// <param name="jobId">The job that must have been the last one to write there; null: any.</param>
    public static RunFolder? TryOpen(string path, string? jobId = null)
    {
        var folder = new RunFolder(Path.GetFullPath(path));
        bool isOne = Directory.Exists(folder.CheckpointsPath) || File.Exists(folder.ConfigurationPath);
        return isOne && (jobId is null || folder.LastJob() == jobId) ? folder : null;
    }

    /// <summary>The job that was the last one to begin or end here, as the events tell; null if they tell of none.</summary>
    public string? LastJob()
    {
        string? last = null;
        foreach (string line in File.Exists(EventsPath) ? File.ReadLines(EventsPath).Where(line => line.Contains("\"jobId\"", StringComparison.Ordinal)) : [])
        {
            try
            {
                last = JsonNode.Parse(line)?["jobId"]?.ToString() ?? last;
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                // A line that a crash has cut.
            }
        }

        return last;
    }

    private static RunFolder? TryClaim(string full, DurableDisk disk, bool isNumbered = false)
    {
        if (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any(entry => Path.GetFileName(entry) != LockName))
        {
            return null;
        }

        var folder = new RunFolder(full) { IsNew = true, IsNumbered = isNumbered };
        try
        {
            disk.CreateFolders(full);
            PrivateFile.Open(folder.EventsPath, FileMode.CreateNew).Dispose();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw ConvNetException.BadInput($"the run folder '{full}' cannot be made there. Name another place with --out.", e);
        }
        catch (IOException) when (File.Exists(folder.EventsPath))
        {
            return null;
        }

        PrivateFile.CreateFolder(Path.Combine(full, "logs"));
        disk.CreateFolder(folder.CheckpointsPath);
        return folder;
    }
}
