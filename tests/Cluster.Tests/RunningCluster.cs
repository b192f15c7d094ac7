using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A silo process with two workers and the servers, for the tests of a class.</summary>
public sealed class RunningCluster : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly TemporaryFolder _folder = new();
    private ClientProcess? _silo;

    public string Folder => _folder.Path;

    public string Url { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        int[] ports = FreePorts.Take(2);
        Url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";
        _silo = ClientProcess.Start(
            Folder, "silo", "--name", "node-1", "--cluster", Url, "--port", $"{ports[0]}", "--gateway", $"{ports[1]}", "--devices", "2");
        await _silo.SaysAsync("node-1 is in the cluster");
    }

    public ValueTask DisposeAsync()
    {
        _silo?.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Submits a detached job.</summary>
    internal async Task SubmitAsync(string id, params string[] job)
    {
        using ClientProcess process = await ClientProcess.RunAsync(
            0, Folder, ["train", "--json", "--detach", "--cluster", Url, "--job", id, "--out", id, .. job]);
        JsonElement line = Assert.Single(process.Events);
        Assert.Equal(("job.submitted", id), (line.GetProperty("event").GetString(), line.GetProperty("jobId").GetString()));
    }

    /// <summary>Runs a job command, which must have this exit code.</summary>
    internal Task<ClientProcess> JobAsync(int exitCode, params string[] command) =>
        ClientProcess.RunAsync(exitCode, Folder, ["job", .. command, "--cluster", Url, "--json"]);

    internal async Task<JsonElement> ShowAsync(string id)
    {
        using ClientProcess process = await JobAsync(0, "show", id);
        return Assert.Single(process.Events);
    }

    /// <summary>Waits until a file of a run has so many lines, and perhaps one that contains a text.</summary>
    internal async Task<string[]> LinesAsync(string path, int lines, string text = "")
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (true)
        {
            string[] all = File.Exists(Path.Combine(Folder, path)) ? File.ReadAllLines(Path.Combine(Folder, path)) : [];
            if (all.Length >= lines && all.Any(line => line.Contains(text, StringComparison.Ordinal)))
            {
                return all;
            }

            await Task.Delay(50, deadline.Token);
        }
    }
}
