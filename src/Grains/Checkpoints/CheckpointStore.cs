using System.Globalization;
using System.Text.RegularExpressions;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Checkpoints;

/// <summary>The checkpoints of a run: finding the newest whole one, deleting old ones, clearing up after a crash.</summary>
public static partial class CheckpointStore
{
    /// <summary>The name of the folder within a run folder.</summary>
    public const string FolderName = "checkpoints";

    /// <summary>Fewer verified checkpoints than these are never left behind.</summary>
    public const int MinimumKept = 2;

    /// <summary>The checkpoint that a path means: itself if it is a checkpoint folder, or the newest whole one of a run folder.</summary>
    /// <param name="warn">Hears of each damaged checkpoint that is passed over.</param>
    /// <exception cref="ConvNetException">Nothing usable is there (exit code 3).</exception>
    public static string Resolve(string path, Action<string> warn)
    {
        string full = Path.GetFullPath(path);
        if (!Directory.Exists(full))
        {
            throw ConvNetException.BadInput($"{path}: no such folder. Give a run folder or a checkpoint folder.");
        }

        if (IsCheckpoint(full))
        {
            return full;
        }

        if (!Directory.Exists(Path.Combine(full, FolderName)))
        {
            throw ConvNetException.BadInput(
                $"{path}: is neither a run folder (no {FolderName}/ in it) nor a checkpoint (no {CheckpointFolder.ManifestFile}).");
        }

        return FindNewest(full, warn)
            ?? throw ConvNetException.BadInput($"{path}: has no whole checkpoint in {FolderName}/. Start the run again.");
    }

    /// <summary>The newest checkpoint of a run folder that verifies, or null. Damaged ones are reported and passed over.</summary>
    public static string? FindNewest(string runFolder, Action<string> warn)
    {
        foreach (string path in List(Path.Combine(Path.GetFullPath(runFolder), FolderName)))
        {
            CheckpointVerification verification = CheckpointFolder.Verify(path);
            if (verification.Ok)
            {
                return path;
            }

            warn($"{path} is damaged and passed over: {string.Join(" ", verification.Problems)}");
        }

        return null;
    }

    /// <summary>Deletes all checkpoints but those of <paramref name="retention"/>; the newest two that verify always stay.</summary>
    public static void Keep(string store, CheckpointRetention retention, DurableDisk? disk = null) =>
        Keep(store, retention, path => CheckpointFolder.Verify(path).Ok, disk);

    /// <param name="isWhole">Whether a checkpoint verifies.</param>
    internal static void Keep(string store, CheckpointRetention retention, Func<string, bool> isWhole, DurableDisk? disk = null)
    {
        string[] all = [.. List(store)];
        int newest = Math.Max(MinimumKept, retention.Newest);
        if (all.Length <= newest)
        {
            return;
        }

        string? best = retention.ByMerit.Select(step => Path.Combine(store, CheckpointFolder.NameOf(step)))
            .FirstOrDefault(path => all.Contains(path) && isWhole(path));
        int verified = 0;
        foreach (string path in all)
        {
            if (verified < newest)
            {
                verified += isWhole(path) ? 1 : 0;
            }
            else if (path != best && !(retention.EverySteps > 0 && StepOf(path) % retention.EverySteps == 0))
            {
                Delete(store, path, disk ?? DurableDisk.Machine);
            }
        }
    }

    /// <summary>
    /// Clears up what a crash left: half-written folders go; one that was moved aside comes back if nothing took its place.
    /// </summary>
    /// <remarks>Only for the run's single writer, before it writes.</remarks>
    public static void Sweep(string store, DurableDisk? disk = null)
    {
        disk ??= DurableDisk.Machine;
        if (!Directory.Exists(store))
        {
            return;
        }

        foreach (string path in Directory.GetDirectories(store, CheckpointFolder.ReplacedPrefix + "*"))
        {
            Match match = StepName().Match(Path.GetFileName(path));
            string final = Path.Combine(store, match.Value);
            if (match.Success && !Directory.Exists(final) && CheckpointFolder.Verify(path).Ok)
            {
                disk.Move(path, final);
            }
            else
            {
                TryDelete(path, disk);
            }
        }

        foreach (string path in Directory.GetDirectories(store, CheckpointFolder.TemporaryPrefix + "*"))
        {
            TryDelete(path, disk);
        }
    }

    internal static void TryDelete(string folder, DurableDisk? disk = null)
    {
        try
        {
            if (Directory.Exists(folder))
            {
                (disk ?? DurableDisk.Machine).Delete(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A leftover under a temporary name does no harm, and the next sweep tries again.
        }
    }

    /// <summary>A run folder with checkpoints of two jobs would be resumed as the one that is further.</summary>
    /// <param name="arrived">State of a checkpoint that is to come into the store.</param>
    /// <exception cref="ConvNetException">There is one of another job (exit code 6).</exception>
    internal static void DemandSameJob(string store, CheckpointState arrived)
    {
        foreach (string path in List(store))
        {
            if (TryReadState(path) is { } known && !known.IsOfSameJob(arrived))
            {
                throw new ConvNetException(
                    ExitCode.Conflict,
                    $"{path} is a checkpoint of another job (model '{known.Model}', {known.TotalSteps} steps) than the one to be put beside it " +
                    $"(model '{arrived.Model}', {arrived.TotalSteps} steps); choose another folder.");
            }
        }
    }

    private static CheckpointState? TryReadState(string path)
    {
        try
        {
            return CheckpointState.Read(Path.Combine(path, CheckpointFolder.StateFile));
        }
        catch (ConvNetException)
        {
            return null;
        }
    }

    // Newest first. Eight digits or more: the length decides before the text does.
    private static IEnumerable<string> List(string store)
    {
        if (!Directory.Exists(store))
        {
            return [];
        }

        return Directory.GetDirectories(store, CheckpointFolder.Prefix + "*")
            .Where(HasStepName)
            .OrderByDescending(path => Path.GetFileName(path).Length)
            .ThenByDescending(Path.GetFileName, StringComparer.Ordinal);
    }

    /// <summary>The step in a checkpoint's name; null for any other name, such as that of a copy that somebody has put beside it.</summary>
    private static long? StepOf(string path)
    {
        string name = Path.GetFileName(path);
        return name.StartsWith(CheckpointFolder.Prefix, StringComparison.Ordinal) && name.Length >= CheckpointFolder.NameOf(0).Length
            && long.TryParse(name.AsSpan(CheckpointFolder.Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long step)
            ? step
            : null;
    }

    private static bool IsCheckpoint(string folder) =>
        File.Exists(Path.Combine(folder, CheckpointFolder.ManifestFile)) || File.Exists(Path.Combine(folder, CheckpointFolder.ModelFile))
        || HasStepName(folder);

    private static bool HasStepName(string folder) => StepOf(folder) is not null;

    // Renamed first, so that a half-deleted checkpoint never looks like one.
    private static void Delete(string store, string path, DurableDisk disk)
    {
        string doomed = Path.Combine(store, $"{CheckpointFolder.TemporaryPrefix}{Path.GetFileName(path)}-{Guid.NewGuid():N}");
        try
        {
            disk.Move(path, doomed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return;
        }

        TryDelete(doomed, disk);
    }

    [GeneratedRegex("step-[0-9]{8,19}")]
    private static partial Regex StepName();
}
