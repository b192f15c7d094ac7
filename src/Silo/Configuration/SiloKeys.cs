using ConvNet.Engine.Errors;

namespace ConvNet.Silo.Configuration;

/// <summary>All that a silo can be told, in the order of the help.</summary>
internal static class SiloKeys
{
    public static readonly SiloKey Config = SiloKey.Path("config", "FILE", "File with settings in YAML; what options and variables say wins");

    public static readonly SiloKey Name = SiloKey.Plain("name", "Name of this silo, unique in the cluster");

    public static readonly SiloKey Cluster = SiloKey.Text(
        "cluster",
        "URL",
        "The cluster to join or to begin: dev://host:port with the silo port of the primary, or redis://host:port?id=NAME of a Redis");

    public static readonly SiloKey RedisPasswordFile = SiloKey.Path(
        "redis-password-file", "FILE", "File with the password of the cluster's Redis in one line");

    public static readonly SiloKey RedisCa = SiloKey.Path(
        "redis-ca", "FILE", "File with the CA of a Redis that speaks TLS (rediss://) [ca.pem in --tls DIR, or what this machine trusts]");

    public static readonly SiloKey Tls = SiloKey.Path(
        "tls", "DIR", "Folder with certificates, for a cluster that demands them ('convnet cluster certs init DIR' makes one)");

    public static readonly SiloKey Listen = SiloKey.Text("listen", "ADDRESS", "Address to listen at, in a redis:// cluster [127.0.0.1]");

    public static readonly SiloKey Advertise = SiloKey.Text("advertise", "ADDRESS", "Address that others are told [that of --listen]");

    public static readonly SiloKey Insecure = SiloKey.Switch("insecure", "Listen beyond this machine although nobody has to prove who he is");

    public static readonly SiloKey Port = SiloKey.Whole("port", "Port for other silos [11111]", 1, 65535);

    public static readonly SiloKey Gateway = SiloKey.Whole(
        "gateway", "Port for clients [the primary's: that of the cluster URL; 30000]", 1, 65535);

    public static readonly SiloKey Http = SiloKey.Whole("http", "Port for health and metrics [none]", 1, 65535);

    public static readonly SiloKey Devices = SiloKey.Whole("devices", "Workers that this silo can run [1]", 1, 256);

    public static readonly SiloKey Device = SiloKey.Compute(
        "device", "What its workers compute on; with commas, the workers go round [auto: the GPUs that can be used, else cpu]");

    public static readonly SiloKey Threads = SiloKey.Whole("threads", "Compute threads per worker [1]", 1, 1024);

    public static readonly SiloKey Roles = SiloKey.Roles("roles", "What this silo does [worker,server]");

    public static readonly SiloKey Host = SiloKey.Plain(
        "host", "Name of the machine, rack or zone that it may be lost with: standbys of a job's servers are on others, if silos name theirs");

    public static readonly SiloKey Cache = SiloKey.Path(
        "cache", "DIR", "Folder for checkpoints of jobs whose clients do not share this machine's disk [~/.cache/convnet/checkpoints]");

    public static readonly SiloKey OrphanMinutes = SiloKey.Whole(
        "orphan-minutes", "How long such a checkpoint stays when its job has ended or lost its client [60]", 1, 60 * 24 * 30);

    public static readonly SiloKey Log = SiloKey.Path("log", "FILE", "Log file [logs/NAME.clef]");

    public static IReadOnlyList<SiloKey> All { get; } =
    [
        Config, Name, Cluster, RedisPasswordFile, RedisCa, Tls, Listen, Advertise, Insecure, Port, Gateway, Http, Devices, Device, Threads, Roles,
        Host, Cache, OrphanMinutes, Log,
    ];

    /// <summary>What can stand in a file.</summary>
    public static IReadOnlyList<SiloKey> InFiles { get; } = [.. All.Where(key => key != Config)];

    /// <summary>What to say of a name that is none of these.</summary>
    public static string Hint(string name, IEnumerable<string> known) =>
        NearMatch.Suggest(name, known) is { Length: > 0 } near ? near : $" There are {string.Join(", ", known)}.";
}
