using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A server silo and worker silos with one device each, every one a process of its own, for the tests of a class.</summary>
public class SiloFleet : IAsyncLifetime
{
    private const int SigStop = 19;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, ClientProcess> _silos = [];
    private readonly Dictionary<string, int> _gateways = [];

    public string Folder => _folder.Path;

    public string Url { get; protected set; } = "";

    /// <summary>The options that name the cluster to a command.</summary>
    public virtual string[] ClusterOptions => ["--cluster", Url];

    /// <summary>Ports of the server silo, which is the primary.</summary>
    public int Port { get; private set; }

    public int Gateway { get; private set; }

    /// <summary>The options by which silos secure their connections.</summary>
    protected virtual string[] Security => [];

    public virtual async ValueTask InitializeAsync()
    {
        int[] ports = FreePorts.Take(2);
        (Port, Gateway) = (ports[0], ports[1]);
        Url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";
        await StartAsync("server-1", "server", ports[0], ports[1]);
    }

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (ClientProcess silo in _silos.Values)
        {
            silo.Dispose();
        }

        _folder.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>The worker silos that are there from now on are exactly these; those that were killed are started again.</summary>
    public async Task HaveWorkersAsync(params string[] names)
    {
        foreach (string name in _silos.Keys.Where(name => name != "server-1" && !names.Contains(name)).ToList())
        {
            Kill(name);
        }

        await Task.WhenAll(names.Where(name => !_silos.ContainsKey(name)).Select(name => StartAsync(name, "worker")));
    }

    /// <summary>Starts a silo unless it is there.</summary>
    public Task HaveAsync(string name, string roles) => _silos.ContainsKey(name) ? Task.CompletedTask : StartAsync(name, roles);

    /// <summary>Starts a further silo and waits until it is in the cluster.</summary>
    public Task StartAsync(string name, string roles, params string[] more)
    {
        int[] ports = FreePorts.Take(2);
        return StartAsync(name, roles, ports[0], ports[1], more);
    }

    /// <summary>kill -9.</summary>
    public void Kill(string name)
    {
        _silos.Remove(name, out ClientProcess? silo);
        silo!.Kill();
        silo.Dispose();
    }

    /// <summary>SIGTERM, and waits until the silo has left.</summary>
    /// <returns>What it has said on standard error.</returns>
    public async Task<string> StopAsync(string name)
    {
        _silos.Remove(name, out ClientProcess? silo);
        silo!.Terminate();
        await silo.EndAsync(143);
        string said = silo.Error;
        silo.Dispose();
        return said;
    }

    /// <summary>SIGSTOP, from which nothing wakes it: its connections stay open, and nobody answers.</summary>
    public void Freeze(string name) => Assert.Equal(0, ClientProcess.Send(_silos[name].Id, SigStop));

    /// <summary>The port of a silo for clients.</summary>
    public int GatewayOf(string name) => _gateways[name];

    /// <summary>A silo that runs.</summary>
    internal ClientProcess Silo(string name) => _silos[name];

    /// <summary>The silos that were started, but for those that were killed, stopped or taken.</summary>
    public string[] Running => [.. _silos.Keys];

    /// <summary>The process of a silo, which is the caller's from now on.</summary>
    internal ClientProcess Take(string name)
    {
        _silos.Remove(name, out ClientProcess? silo);
        return silo!;
    }

    /// <summary>The command that starts a silo, and to which its line is appended.</summary>
    protected virtual string[] Around(string silo) => [];

    public void AssertAllRun() => Assert.All(_silos, silo => Assert.False(silo.Value.HasExited, $"silo {silo.Key} has ended"));

    /// <summary>What a silo's process holds in memory, as Linux counts it.</summary>
    public long MegabytesOf(string name) => ProcessFigures.Of(_silos[name].Id).Kilobytes / 1024;

    /// <summary>Waits until a run has written so many rows of metrics.</summary>
    /// <param name="writer">The process that writes them, whose end before that is told; or null.</param>
    internal async Task RowsAsync(string run, int rows, ClientProcess? writer = null)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (Rows(run) < rows)
        {
            Assert.False(writer is { HasExited: true }, $"the run has ended with {Rows(run)} rows: {writer?.Error}");
            Assert.False(deadline.IsCancellationRequested, $"the run has {Rows(run)} rows, and no more for a long time: {writer?.Error}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The rows of metrics that a run has written so far.</summary>
    public int Rows(string run)
    {
        string path = Path.Combine(Folder, run, "metrics.csv");
        return File.Exists(path) ? File.ReadLines(path).Skip(1).Count() : 0;
    }

    private async Task StartAsync(string name, string roles, int port, int gateway, params string[] more)
    {
        ClientProcess silo = ClientProcess.StartBy(
            Around(name),
            Folder,
            ["silo", "--name", name, .. ClusterOptions, "--port", $"{port}", "--gateway", $"{gateway}", "--roles", roles, .. Security, .. more]);
        lock (_silos)
        {
            (_silos[name], _gateways[name]) = (silo, gateway);
        }

        await silo.SaysAsync($"{name} is in the cluster");
    }
}
