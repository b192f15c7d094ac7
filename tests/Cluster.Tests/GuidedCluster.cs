using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// Carries out what <see cref="ClusterGuide"/> says, on <see cref="Machines"/>: Redis and the client on number 0, silos on 1 to 3, and the certificates in a
/// folder of their own. Only addresses and paths are others, and the job is shorter.
/// </summary>
internal sealed class GuidedCluster : IDisposable
{
    private const string Authority = "authority", Redis = "redis", Ann = "ann";

    private readonly Machines _machines = new(3);
    private readonly TemporaryFolder _folders = new();
    private readonly List<ClientProcess> _running = [];

    public string FolderOf(string machine)
    {
        string folder = _folders[machine];
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            WriteProgram(folder, "convnet", ClientProcess.Client);
            WriteProgram(folder, "convnet-silo", ClientProcess.Silo);
        }

        return folder;
    }

    /// <summary>Makes the certificates, and puts them where the page says.</summary>
    public async Task CertifyAsync(bool redisToo)
    {
        await RunAsync(Authority, [.. ClusterGuide.On("authority"), .. redisToo ? ClusterGuide.On("authority with TLS") : []]);
        for (int silo = 1; silo <= 3; silo++)
        {
            Copy(Path.Combine(FolderOf(Authority), "certs", $"node-{silo}"), Path.Combine(FolderOf($"node-{silo}"), "etc", "tls"));
        }

        Copy(Path.Combine(FolderOf(Authority), "certs", "ann"), Path.Combine(FolderOf(Ann), "convnet-tls"));
        if (redisToo)
        {
            Copy(Path.Combine(FolderOf(Authority), "certs", "lab-redis"), Path.Combine(FolderOf(Redis), "etc", "redis-tls"));
        }
    }

    /// <summary>Starts Redis, and gives everybody the password.</summary>
    public async Task StartRedisAsync(bool tls)
    {
        string[] lines = ClusterGuide.On("redis");
        await RunAsync(Redis, lines[..^1]);
        string conf = Path.Combine(FolderOf(Redis), "etc", "redis.conf");
        if (tls)
        {
            string[] written = File.ReadAllLines(conf);
            Assert.Contains("port 6379", written);
            File.WriteAllLines(conf, written.SelectMany(line => line == "port 6379" ? ClusterGuide.On("redis.conf with TLS").Select(At(Redis)) : [line]));
        }

        foreach (string machine in new[] { "node-1", "node-2", "node-3", Ann })
        {
            string own = Directory.CreateDirectory(Path.Combine(FolderOf(machine), "etc")).FullName;
            File.Copy(Path.Combine(FolderOf(Redis), "etc", "redis-password"), Path.Combine(own, "redis-password"));
        }

        await Start(Redis, 0, lines[^1]).SaysAsync("Ready to accept connections");
    }

    /// <summary>Starts the silo of a machine, whose file is written for the first.</summary>
    public async Task StartSiloAsync(int number, Func<string, string> change)
    {
        string machine = $"node-{number}";
        IEnumerable<string> settings = ClusterGuide.On("silo")
            .Select(line => At(machine)(change(line).Replace("node-1", machine).Replace("10.0.0.11", $"10.0.0.1{number}")));
        await File.WriteAllLinesAsync(Path.Combine(FolderOf(machine), "etc", "silo.yaml"), settings, TestContext.Current.CancellationToken);
        await Start(machine, number, Assert.Single(ClusterGuide.On("silo's machine"))).SaysAsync($"{machine} is in the cluster");
    }

    /// <summary>Trains as the page says, in a cluster or alone.</summary>
    public async Task<JobEnd> TrainAsync(string command)
    {
        ClientProcess training = Start(Ann, 0, $"{command} --json");
        await training.EndAsync(0);
        return JobEnd.Of(training);
    }

    public void AssertAllRun() => Assert.All(
        _running, process => Assert.True(!process.HasExited || process.ExitCode == 0, process.Output + process.Error));

    public void Dispose()
    {
        _running.ForEach(process => process.Dispose());
        _machines.Dispose();
        _folders.Dispose();
    }

    private static void WriteProgram(string folder, string name, string[] command)
    {
        string program = Path.Combine(folder, name);
        File.WriteAllText(program, $"#!/bin/sh\nexec {string.Join(' ', command)} \"$@\"\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }

    /// <summary>What stands here for what the page names: addresses, and paths on a machine.</summary>
    private Func<string, string> At(string machine) => line => line
        .Replace("10.0.0.", "10.213.0.")
        .Replace("/etc/convnet", Path.Combine(FolderOf(machine), "etc"))
        .Replace("/var/lib/convnet-redis", Path.Combine(FolderOf(machine), "data"))
        .Replace("~/", $"{FolderOf(machine)}/")
        .Replace("--model resnet20", "--model resnet20 --steps 12");

    private async Task RunAsync(string machine, string[] lines)
    {
        using ClientProcess process = ClientProcess.StartShell([], FolderOf(machine), string.Join('\n', lines.Select(At(machine))));
        await process.EndAsync(0);
    }

    /// <summary>Starts a command that becomes the process, so that it ends with it.</summary>
    private ClientProcess Start(string machine, int number, string line)
    {
        ClientProcess process = ClientProcess.StartShell(
            ["ip", "netns", "exec", _machines[number]], FolderOf(machine), $"exec {At(machine)(line)}");
        _running.Add(process);
        return process;
    }
}
