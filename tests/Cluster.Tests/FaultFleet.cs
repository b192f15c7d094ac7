namespace ConvNet.Cluster.Tests;

/// <summary>
/// A cluster for faults: a Redis that keeps its data, two silos with servers, of which the later one by name only leads jobs of one partition, and
/// three with a worker each. In the full tests, a worker silo and the leading one have machines of their own (<see cref="Machines"/>).
/// </summary>
public class FaultFleet : SiloFleet
{
    public const string Server = "server-1", Leader = "server-2";
    public static readonly string[] Workers = ["node-1", "node-2", "node-3"];

    /// <summary>The silos that can be cut off, by the number of their machine; all others are on machine 0.</summary>
    private static readonly string[] Apart = ["", Workers[0], Leader];

    private readonly Machines? _machines =
        FullRun.IsAsked && Machines.AreAvailable ? new Machines(Apart.Length - 1) : null;

    public FaultFleet() => Redis = _machines is null ? new RedisServer(keeps: true) : new RedisServer(Machines.AddressOf(0), _machines[0], keeps: true);

    internal RedisServer Redis { get; }

    public bool HasMachines => _machines is not null;

    public override string[] ClusterOptions => ["--cluster", Url, "--redis-password-file", Redis.PasswordFile];

    public override async ValueTask InitializeAsync()
    {
        await Redis.StartAsync();
        Url = Redis.Url;
        await HealAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await base.DisposeAsync();
        Redis.Dispose();
        _machines?.Dispose();
    }

    /// <summary>The silos of which the cluster consists.</summary>
    protected virtual string[] Names => [Server, Leader, .. Workers];

    /// <summary>Starts what is missing.</summary>
    public Task HealAsync() => Task.WhenAll(Names.Except(Running).Select(name => StartAsync(
        name,
        RolesOf(name),
        [.. SettingsOf(name), .. _machines is null ? (string[])[] : ["--listen", Machines.AddressOf(MachineOf(name)), "--insecure"]])));

    /// <summary>Cuts the machine of a silo off.</summary>
    public void Cut(string silo) => _machines!.Cut(MachineOf(silo));

    public void Mend(string silo) => _machines!.Mend(MachineOf(silo));

    /// <summary>Copies the logs of silos and the folder of a run.</summary>
    public void KeepLogs(string run, string kept)
    {
        string[] files = Directory.GetFiles(Folder, "*", SearchOption.AllDirectories);
        foreach (string file in files.Where(file => file.Contains(run, StringComparison.Ordinal) || file.Contains("/logs/", StringComparison.Ordinal)))
        {
            string copy = Path.Combine(kept, Path.GetRelativePath(Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }
    }

    /// <summary>Starts a command of a client.</summary>
    internal ClientProcess StartClient(params string[] command) => ClientProcess.StartBy(Around(""), Folder, [.. command, .. ClusterOptions]);

    protected virtual string RolesOf(string silo) => Workers.Contains(silo) ? "worker" : "server";

    /// <summary>Further options of a silo.</summary>
    protected virtual string[] SettingsOf(string silo) => [];

    protected override string[] Around(string silo) => _machines is null ? [] : ["ip", "netns", "exec", _machines[MachineOf(silo)]];

    private static int MachineOf(string silo) => Math.Max(0, Array.IndexOf(Apart, silo));
}
