using System.Net;
using ConvNet.Silo.Security;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// A cluster over <see cref="Machines"/>, with certificates that hold the addresses and a Redis with a password on a machine of its own, number 0. Each
/// machine has a folder with its certificate and the password, and no process sees the folder of another machine.
/// </summary>
internal sealed class MachineCluster : IDisposable
{
    private const string Certificates = "certs", Password = "password";

    /// <summary>Lays an empty disk over the folders of all other machines, in a mount namespace of the process alone.</summary>
    private const string HideOthers =
        "for folder in \"$0\"/*; do [ \"$folder\" = \"$PWD\" ] || mount -t tmpfs none \"$folder\" || exit 1; done; exec \"$@\"";

    private readonly Machines _machines;
    private readonly RedisServer _redis;
    private readonly TemporaryFolder _folders = new();
    private readonly List<ClientProcess> _silos = [];

    /// <param name="silos">How many machines have a silo; they count from 1.</param>
    public MachineCluster(int silos)
    {
        _machines = new Machines(silos);
        _redis = new RedisServer(Machines.AddressOf(0), _machines[0]);
    }

    private string[] Options => ["--cluster", $"redis://{_redis.Endpoint}?id=lab", "--redis-password-file", Password, "--tls", Certificates];

    /// <param name="roles">Of the silo on each machine.</param>
    public async Task StartAsync(params string[] roles)
    {
        await _redis.StartAsync();
        using var authority = new TemporaryFolder();
        var certificates = new CertificateFolder(authority["certs"]);
        certificates.Init(TimeProvider.System);
        Equip(0, certificates.Add(PeerRole.Client, "client", [], TimeProvider.System));
        for (int machine = 1; machine <= roles.Length; machine++)
        {
            IPAddress[] place = [IPAddress.Parse(Machines.AddressOf(machine))];
            Equip(machine, certificates.Add(PeerRole.Silo, $"node-{machine}", place, TimeProvider.System));
            Equip(machine, certificates.Add(PeerRole.Client, $"client-{machine}", [], TimeProvider.System));
        }

        for (int machine = 1; machine <= roles.Length; machine++)
        {
            ClientProcess silo = Start(
                machine,
                ["silo", "--name", $"node-{machine}", "--listen", Machines.AddressOf(machine), "--roles", roles[machine - 1], "--cache", "cache"]);
            _silos.Add(silo);
            await silo.SaysAsync($"node-{machine} is in the cluster");
        }
    }

    public string FolderOf(int machine) => _folders[$"machine-{machine}"];

    /// <summary>Starts a command on a machine.</summary>
    public ClientProcess Start(int machine, params string[] command) => ClientProcess.StartBy(
        ["ip", "netns", "exec", _machines[machine], "unshare", "--mount", "sh", "-c", HideOthers, _folders.Path],
        FolderOf(machine),
        [.. command, .. Options]);

    /// <summary>Runs a command on a machine, which must have this exit code.</summary>
    public async Task<ClientProcess> RunAsync(int machine, int exitCode, params string[] command)
    {
        ClientProcess process = Start(machine, command);
        await process.EndAsync(exitCode);
        return process;
    }

    public void AssertAllRun() => Assert.All(_silos, silo => Assert.False(silo.HasExited, silo.Output + silo.Error));

    public void Dispose()
    {
        _silos.ForEach(silo => silo.Dispose());
        _redis.Dispose();
        _machines.Dispose();
        _folders.Dispose();
    }

    /// <summary>Gives a machine the password and a certificate.</summary>
    private void Equip(int machine, string certificate)
    {
        string folder = Path.Combine(FolderOf(machine), Certificates);
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.GetFiles(certificate))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        }

        File.Copy(_redis.PasswordFile, Path.Combine(FolderOf(machine), Password), overwrite: true);
    }
}
