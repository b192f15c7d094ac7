using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// A silo that does not see its clients' folder: it runs in a mount namespace of its own, where an empty disk lies over that folder. Without the right to
/// make one, the tests of the class are left out.
/// </summary>
public sealed class SeparateDisks : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly TemporaryFolder _clients = new();
    private readonly TemporaryFolder _silos = new();
    private ClientProcess? _silo;

    /// <summary>This process may give others disks of their own.</summary>
    public static bool CanSeparate { get; } = TrySeparate();

    /// <summary>Of the clients.</summary>
    public string Folder => _clients.Path;

    /// <summary>Where the silo keeps checkpoints, which the tests see.</summary>
    public string Cache => _silos["cache"];

    public string Url { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (!CanSeparate)
        {
            return;
        }

        int[] ports = FreePorts.Take(2);
        Url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";
        _silo = ClientProcess.StartBy(
            ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none \"$0\" && exec \"$@\"", Folder],
            _silos.Path,
            ["silo", "--name", "node-1", "--cluster", Url, "--port", $"{ports[0]}", "--gateway", $"{ports[1]}", "--devices", "2", "--cache", Cache]);
        await _silo.SaysAsync("node-1 is in the cluster");
    }

    public ValueTask DisposeAsync()
    {
        _silo?.Dispose();
        _silos.Dispose();
        _clients.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Leaves a test out where a process cannot have disks of its own.</summary>
    public void Demand() => Assert.SkipUnless(_silo is not null, "needs the right to make a mount namespace");

    /// <summary>Runs a command in the clients' folder, which must have this exit code.</summary>
    internal Task<ClientProcess> RunAsync(int exitCode, params string[] command) =>
        ClientProcess.RunAsync(exitCode, Folder, [.. command, "--cluster", Url, "--json"]);

    /// <summary>Waits until a job is in a state.</summary>
    internal async Task<JsonElement> StateAsync(string id, string state)
    {
        var waiting = Stopwatch.StartNew();
        while (true)
        {
            using ClientProcess process = await RunAsync(0, "job", "show", id);
            JsonElement job = Assert.Single(process.Events);
            if (job.GetProperty("state").GetString() == state)
            {
                return job;
            }

            Assert.True(waiting.Elapsed < Patience, $"job '{id}' is {job.GetProperty("state")}, not {state}");
        }
    }

    /// <summary>The checkpoints under a folder, oldest first.</summary>
    public static string[] CheckpointsIn(string folder) => Directory.Exists(folder)
        ? [.. Directory.GetDirectories(folder, "step-*").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)]
        : [];

    private static bool TrySeparate()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        using var trial = Process.Start(new ProcessStartInfo("sh", ["-c", "unshare --mount mount -t tmpfs none /mnt"]) { RedirectStandardError = true })!;
        trial.WaitForExit();
        return trial.ExitCode == 0;
    }
}
