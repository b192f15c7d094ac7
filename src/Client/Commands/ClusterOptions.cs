using System.CommandLine;
using ConvNet.Engine.Errors;
using ConvNet.Silo.Clustering;
using ConvNet.Silo.Security;

namespace ConvNet.Client.Commands;

/// <summary>The options that name a cluster in other processes.</summary>
internal sealed class ClusterOptions
{
    /// <param name="isRequired">False for a command that can do without, in a cluster of its own.</param>
    public ClusterOptions(bool isRequired) => Cluster.Required = isRequired;

    public Option<string?> Cluster { get; } = new("--cluster")
    {
        Description = "Use the silos of a running cluster: dev://host:port[?gateway=PORT], or redis://host:port?id=NAME",
        HelpName = "URL",
    };

    public Option<string?> RedisPasswordFile { get; } = new("--redis-password-file")
    {
        Description = "File with the password of the cluster's Redis in one line",
        HelpName = "FILE",
    };

    public Option<string?> RedisCa { get; } = new("--redis-ca")
    {
        Description = "File with the CA of a Redis that speaks TLS (rediss://) [ca.pem in --tls DIR, or what this machine trusts]",
        HelpName = "FILE",
    };

    public Option<string?> Tls { get; } = new("--tls")
    {
        Description = "Folder with certificates, for a cluster that demands them ('convnet cluster certs init DIR' makes one)",
        HelpName = "DIR",
    };

    public void AddTo(Command command)
    {
        command.Add(Cluster);
        command.Add(RedisPasswordFile);
        command.Add(RedisCa);
        command.Add(Tls);
    }

    /// <summary>The cluster that a command with the required option names.</summary>
    public SiloCluster Read(ParseResult parsed, PeerRole role = PeerRole.Client) =>
        Find(parsed.GetValue(Cluster)!, parsed.GetValue(RedisPasswordFile), parsed.GetValue(RedisCa), parsed.GetValue(Tls), role);

    /// <exception cref="ConvNetException">They name no cluster or no certificate that can be used (exit code 3, 4 or 8).</exception>
    public static SiloCluster Find(string url, string? redisPasswordFile, string? redisCa, string? tlsFolder, PeerRole role) =>
        SiloCluster.Parse(url, redisPasswordFile, tlsFolder is null ? null : PeerIdentity.Load(tlsFolder, role, TimeProvider.System), redisCa);
}
