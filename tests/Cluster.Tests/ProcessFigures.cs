using System.Globalization;

namespace ConvNet.Cluster.Tests;

/// <summary>What a process holds of its machine, as Linux counts it.</summary>
/// <param name="Kilobytes">Resident memory.</param>
/// <param name="Handles">Open file descriptors.</param>
internal sealed record ProcessFigures(long Kilobytes, int Handles, int Threads)
{
    public string InWords => string.Create(CultureInfo.InvariantCulture, $"{Kilobytes / 1024.0:F1} MiB, {Handles} handles, {Threads} threads");

    /// <param name="process">Its id.</param>
    public static ProcessFigures Of(int process)
    {
        string[] status = File.ReadAllLines($"/proc/{process}/status");
        return new ProcessFigures(
            Field(status, "VmRSS:"), Directory.EnumerateFileSystemEntries($"/proc/{process}/fd").Count(), (int)Field(status, "Threads:"));
    }

    /// <summary>The lesser of each.</summary>
    public ProcessFigures Least(ProcessFigures other) =>
        new(Math.Min(Kilobytes, other.Kilobytes), Math.Min(Handles, other.Handles), Math.Min(Threads, other.Threads));

    private static long Field(string[] status, string name) => long.Parse(
        status.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}
