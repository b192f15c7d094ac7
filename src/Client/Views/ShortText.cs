using System.Globalization;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Views;

/// <summary>Facts in the few characters that a table has room for.</summary>
internal static class ShortText
{
    private const int CommitDigits = 8;

    public static string Shards(WorkerStatus worker) =>
        worker.EndShard - worker.FirstShard == 1 ? $"{worker.FirstShard}" : $"{worker.FirstShard}-{worker.EndShard - 1}";

    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Empty while nothing is known.</summary>
    public static string Percent(double share) => share > 0 ? Lines.Invariant($"{100 * share:F0} %") : "";

    public static string Phase(WorkerPhase phase) => phase switch
    {
        WorkerPhase.Idle => "idle",
        WorkerPhase.Computing => "computes",
        WorkerPhase.WaitingForBatchNorm => "waits for batch norm",
        WorkerPhase.WaitingForPush => "pushes",
        WorkerPhase.WaitingForParameters => "pulls",
        WorkerPhase.Evaluating => "evaluates",
        _ => "",
    };

    /// <summary>A version with the first digits of its commit.</summary>
    public static string Version(string version)
    {
        int commit = version.IndexOf('+', StringComparison.Ordinal);
        return commit < 0 ? version : version[..Math.Min(version.Length, commit + 1 + CommitDigits)];
    }

    public static string Roles(ClusterSilo silo) => string.Join(',', silo.RoleNames());
}
