using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A silo that does nothing for a job may come and go as it likes.</summary>
public sealed class IdleSiloTests : IDisposable
{
    private static readonly string[] Job = ["--model", "lenet", "--steps", "600", "--batch", "96", "--workers", "2"];
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<int> Rounds =>
        [.. Enumerable.Range(1, FullRun.IsAsked ? 10 : 1)];

    /// <param name="round">Counts from 1; each has silos of its own.</param>
    [Theory]
    [MemberData(nameof(Rounds))]
    public async Task A_silo_that_has_no_part_in_a_job_may_be_killed_or_stopped_while_it_trains(int round)
    {
        Assert.InRange(round, 1, 10);
        int[] ports = FreePorts.Take(8);
        string url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";
        using ClientProcess first = await StartAsync("node-1", url, ports[0], ports[1], "worker,server");
        using ClientProcess second = await StartAsync("node-2", url, ports[2], ports[3], "worker,server");
        using ClientProcess killed = await StartAsync("node-8", url, ports[4], ports[5], "worker");
        using ClientProcess stopped = await StartAsync("node-9", url, ports[6], ports[7], "worker");
        JobEnd alone = await JobEnd.TrainAsync(_folder.Path, [.. Job, "--out", "alone"]);

        using ClientProcess training = ClientProcess.Start(_folder.Path, ["train", "--json", .. Job, "--cluster", url, "--out", "together"]);
        await RowsAsync(20);
        killed.Kill();
        int rows = Rows();
        await RowsAsync(rows + 150);
        stopped.Terminate();
        await training.EndAsync(0);

        Assert.Equal(alone.StateSha256, JobEnd.Of(training).StateSha256);
        Assert.DoesNotContain("warning", training.Output, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(training.MemberChanges);
        await stopped.EndAsync(143);
    }

    public void Dispose() => _folder.Dispose();

    private async Task<ClientProcess> StartAsync(string name, string url, int port, int gateway, string roles)
    {
        ClientProcess silo = ClientProcess.Start(
            _folder.Path, "silo", "--name", name, "--cluster", url, "--port", $"{port}", "--gateway", $"{gateway}", "--roles", roles);
        await silo.SaysAsync($"{name} is in the cluster");
        return silo;
    }

    /// <summary>Waits until the run has written so many steps.</summary>
    private async Task RowsAsync(int rows)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (Rows() < rows)
        {
            await Task.Delay(20, deadline.Token);
        }
    }

    private int Rows() => File.Exists(_folder["together/metrics.csv"]) ? File.ReadLines(_folder["together/metrics.csv"]).Count() : 0;
}
