using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Silos, client and monitor in processes of their own.</summary>
public sealed class SiloProcessTests : IDisposable
{
    private static readonly string[] Job = ["--model", "lenet", "--steps", "20", "--batch", "100"];
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Two_silo_processes_give_the_bits_of_one_worker_and_the_monitor_shows_the_jobs()
    {
        int[] ports = FreePorts.Take(4);
        string url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";
        using ClientProcess first = StartSilo("node-1", url, ports[0], ports[1], devices: 2);
        await first.SaysAsync("node-1 is in the cluster");
        using ClientProcess second = StartSilo("node-2", url, ports[2], ports[3], devices: 1);
        await second.SaysAsync("node-2 is in the cluster");

        JobEnd alone = await JobEnd.TrainAsync(_folder.Path, [.. Job, "--workers", "1"]);
        foreach (int workers in new[] { 2, 3 })
        {
            JobEnd end = await JobEnd.TrainAsync(_folder.Path, [.. Job, "--workers", $"{workers}", "--cluster", url]);

            Assert.Equal(alone.StateSha256, end.StateSha256);
            Assert.Equal(workers, end.Samples.Length);
        }

        using ClientProcess monitor = await ClientProcess.RunAsync(0, _folder.Path, "monitor", "--cluster", url, "--once");
        Assert.Equal(2, monitor.Output.Split("lenet on fashion-mnist-mini  completed  step 20/20").Length - 1);
        using ClientProcess tooMany = await ClientProcess.RunAsync(4, _folder.Path, ["train", .. Job, "--workers", "4", "--cluster", url]);
        Assert.Contains("the job asks for 4 workers, but the cluster has 3", tooMany.Error);

        second.Terminate();
        await second.EndAsync(143);
    }

    [Fact]
    public async Task A_silo_takes_neither_the_ports_nor_the_name_of_a_live_one()
    {
        int[] ports = FreePorts.Take(4);
        string url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";
        using ClientProcess first = StartSilo("node-1", url, ports[0], ports[1], devices: 1);
        await first.SaysAsync("node-1 is in the cluster");

        using ClientProcess samePort = StartSilo("node-2", $"dev://127.0.0.1:{ports[0]}", ports[0], ports[3], devices: 1);
        await samePort.EndAsync(4);
        using ClientProcess sameGateway = StartSilo("node-2", url, ports[2], ports[1], devices: 1);
        await sameGateway.EndAsync(4);
        using ClientProcess sameName = StartSilo("node-1", url, ports[2], ports[3], devices: 1);
        await sameName.EndAsync(6);

        Assert.Contains($"--port {ports[0]}", samePort.Error);
        Assert.Contains($"--gateway {ports[1]}", sameGateway.Error);
        Assert.Contains("already has the name 'node-1'", sameName.Error);
        first.Terminate();
        await first.EndAsync(143);
    }

    [Fact]
    public async Task A_url_means_one_cluster_for_silos_and_clients()
    {
        int[] ports = FreePorts.Take(3);
        string url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";
        using ClientProcess contradicts = StartSilo("node-1", url, ports[0], ports[2], devices: 1);
        await contradicts.EndAsync(3);
        using ClientProcess silo = ClientProcess.Start(_folder.Path, "silo", "--name", "node-1", "--cluster", url, "--port", $"{ports[0]}");
        await silo.SaysAsync($"gateway {ports[1]}");

        using ClientProcess right = await ClientProcess.RunAsync(0, _folder.Path, "monitor", "--cluster", url, "--once");
        using ClientProcess other = await ClientProcess.RunAsync(
            4, _folder.Path, "monitor", "--cluster", $"dev://127.0.0.1:{ports[2]}?gateway={ports[1]}", "--once");
        using ClientProcess siloPort = await ClientProcess.RunAsync(
            4, _folder.Path, "job", "list", "--cluster", $"dev://127.0.0.1:{ports[0]}?gateway={ports[0]}");

        Assert.Contains("No jobs", right.Output);
        Assert.Contains($"127.0.0.1:{ports[0]} is the port of a silo for other silos, not its gateway", siloPort.Error);
        Assert.Contains($"of another cluster: its silos are 127.0.0.1:{ports[0]}", other.Error);
        Assert.Contains("contradicts the cluster's URL", contradicts.Error);
        silo.HangUp();
        await silo.EndAsync(129);
    }

    public void Dispose() => _folder.Dispose();

    private ClientProcess StartSilo(string name, string url, int port, int gateway, int devices) => ClientProcess.Start(
        _folder.Path, "silo", "--name", name, "--cluster", url, "--port", $"{port}", "--gateway", $"{gateway}", "--devices", $"{devices}");
}
