using System.Net;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Placement;
using ConvNet.Silo.Security;

namespace ConvNet.Silo.Clustering;

/// <summary>A cluster that a URL means. Silos and clients that are configured by the same URL find each other.</summary>
public abstract class SiloCluster
{
    /// <summary>The port for clients of a silo that is told none.</summary>
    protected const int DefaultGateway = 30000;

    private protected SiloCluster(ClusterUrl url, PeerIdentity? identity) => (Url, Identity) = (url.Text, identity);

    /// <summary>Without any password.</summary>
    public string Url { get; }

    /// <summary>What we show the others and whom we trust; null without TLS.</summary>
    public PeerIdentity? Identity { get; }

    /// <summary>The options of a command line that mean this cluster, as a shell takes them.</summary>
    public virtual string Arguments => $"--cluster {ShellWord.Quote(Url)}" + (Identity is null ? "" : $" --tls {ShellWord.Quote(Identity.Folder)}");

    /// <summary>Where the cluster keeps the grains that it has one of.</summary>
    public abstract ClusterHead Head { get; }

    /// <summary>Whether the membership is in a store outside the silos, which may be lost while they live.</summary>
    public virtual bool IsInStore => false;

    /// <summary>What a silo that joins waits for.</summary>
    public abstract string Entrance { get; }

    /// <summary>What to look at when a silo cannot join.</summary>
    public abstract string JoinAdvice { get; }

    /// <summary>Where a client looks for silos.</summary>
    public abstract string Reception { get; }

    /// <param name="redisPasswordFile">File with the password of Redis, or null.</param>
    /// <param name="identity">For TLS, or null.</param>
    /// <param name="redisCa">File with the CA of a rediss:// server; null: that of the identity, and without one those that the machine trusts.</param>
    /// <exception cref="ConvNetException">
    /// The URL is not one of these, or a file is of no use (exit code 3); or a host cannot be resolved (exit code 4).
    /// </exception>
    public static SiloCluster Parse(string url, string? redisPasswordFile = null, PeerIdentity? identity = null, string? redisCa = null)
    {
        var parsed = ClusterUrl.Parse(url);
        if (parsed.Scheme != "dev")
        {
            return new RedisCluster(parsed, redisPasswordFile, redisCa, identity);
        }

        return redisPasswordFile is null && redisCa is null ? new DevCluster(parsed, identity) : throw ConvNetException.BadInput(
            $"--redis-{(redisCa is null ? "password-file" : "ca")} is for redis:// clusters, but the cluster is {parsed}; leave it out.");
    }

    /// <summary>Checks that whatever the cluster keeps outside its silos can be used, before anything is started.</summary>
    /// <param name="warn">Takes a sentence about what is unsafe.</param>
    /// <exception cref="ConvNetException">It does not answer (exit code 4), or does not let us in (8).</exception>
    public abstract Task CheckAsync(Action<string> warn, CancellationToken cancellation = default);

    /// <summary>The ports and addresses of a silo that is told these, perhaps null.</summary>
    /// <param name="isInsecure">Whether the user takes the risk of ports that others reach.</param>
    /// <exception cref="ConvNetException">They don't go with the cluster (exit code 3), or are not safe (8).</exception>
    public abstract SiloPorts PortsOf(string? listen, string? advertise, int port, int? gateway, bool isInsecure);

    /// <summary>Lets a silo join.</summary>
    public abstract void Configure(ISiloBuilder silo, SiloPorts ports);

    /// <summary>Lets a client connect.</summary>
    public abstract void Configure(IClientBuilder client);

    /// <summary>The silo ports of those that a silo meets when it joins; none for the first.</summary>
    /// <param name="services">Of a host that is configured and not started.</param>
    public abstract Task<IReadOnlyList<IPEndPoint>> SilosAsync(SiloPorts own, IServiceProvider services);

    /// <summary>Where a client that connects may go first.</summary>
    /// <param name="services">Of a host that is configured and not started.</param>
    public abstract Task<IReadOnlyList<IPEndPoint>> GatewaysAsync(IServiceProvider services);

    /// <exception cref="ConvNetException">Others reach the ports, and nobody has to prove who he is (exit code 8).</exception>
    private protected SiloPorts DemandSafe(SiloPorts ports, bool isInsecure) =>
        IPAddress.IsLoopback(ports.Listen) || Identity is not null || isInsecure
            ? ports
            : throw new ConvNetException(
                ExitCode.NotAuthorised,
                $"the ports on {ports.Listen} would let everybody in who reaches them. Demand certificates with --tls DIR ('convnet cluster certs init DIR' " +
                "makes them), listen on a loopback address, or take the risk in a network that you trust alone with --insecure.");
}
