using System.Net;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Placement;
using ConvNet.Silo.Security;
using Orleans.Configuration;

namespace ConvNet.Silo.Clustering;

/// <summary>A cluster with membership in its first silo: dev://host:port[?gateway=PORT]. For one machine and for tests.</summary>
public sealed class DevCluster : SiloCluster
{
    private const string ClusterId = "convnet";
    private const string ServiceId = "convnet";

    private readonly int? _namedGateway;

    internal DevCluster(ClusterUrl url, PeerIdentity? identity)
        : base(url, identity)
    {
        foreach ((string name, string value) in url.Parameters)
        {
            if (name != "gateway" || !int.TryParse(value, out int gateway) || gateway is < 1 or > 65535)
            {
                string shown = name == "gateway" ? $"{name}={value}" : name;
                throw ConvNetException.BadInput($"'{shown}' in '{url}' is not understood; the only parameter is gateway=PORT with 1 … 65535.");
            }

            _namedGateway = gateway;
        }

        Primary = new IPEndPoint(HostLookup.FindMachine(url.Host, $"'{url}'"), url.Port);
    }

    /// <summary>Silo endpoint of the first silo: the one whose own port it is.</summary>
    public IPEndPoint Primary { get; }

    /// <summary>Where clients connect: the primary's port for them.</summary>
    public int Gateway => _namedGateway ?? DefaultGateway;

    public override ClusterHead Head => new(Primary);

    public override string Entrance => $"the primary silo at {Primary}";

    public override string JoinAdvice =>
        $"start the primary silo first (convnet silo --name node-1 --cluster dev://{Primary} --port {Primary.Port}), or correct the URL of --cluster";

    public override string Reception => $"{Url} (gateway port {Gateway})";

    public override Task CheckAsync(Action<string> warn, CancellationToken cancellation = default) => Task.CompletedTask;

    public override SiloPorts PortsOf(string? listen, string? advertise, int port, int? gateway, bool isInsecure) =>
        listen is null && advertise is null
            ? DemandSafe(new SiloPorts(Primary.Address, Primary.Address, port, GatewayOf(port, gateway)), isInsecure)
            : throw ConvNetException.BadInput(
                $"--listen and --advertise are for redis:// clusters; all silos of a dev:// cluster are at the address in its URL, {Primary.Address}. " +
                "Leave them out, or change the URL.");

    public override void Configure(ISiloBuilder silo, SiloPorts ports)
    {
        silo.UseDevelopmentClustering(ports.Silos == Primary.Port ? null : Primary);
        silo.ConfigureEndpoints(ports.Advertise, ports.Silos, ports.Clients);
        silo.Configure<ClusterOptions>(Name);
    }

    public override void Configure(IClientBuilder client)
    {
        client.UseStaticClustering(new IPEndPoint(Primary.Address, Gateway));
        client.Configure<ClusterOptions>(Name);
    }

    public override Task<IReadOnlyList<IPEndPoint>> SilosAsync(SiloPorts own, IServiceProvider services) =>
        Task.FromResult<IReadOnlyList<IPEndPoint>>(own.Silos == Primary.Port ? [] : [Primary]);

    public override Task<IReadOnlyList<IPEndPoint>> GatewaysAsync(IServiceProvider services) =>
        Task.FromResult<IReadOnlyList<IPEndPoint>>([new IPEndPoint(Primary.Address, Gateway)]);

    private static void Name(ClusterOptions options) => (options.ClusterId, options.ServiceId) = (ClusterId, ServiceId);

    /// <summary>The gateway of a silo: what it is told, or for the primary what the URL says; another one no client would find.</summary>
    private int GatewayOf(int port, int? told)
    {
        if (port != Primary.Port || _namedGateway is not { } named)
        {
            return told ?? DefaultGateway;
        }

        return told is null || told == named ? named : throw ConvNetException.BadInput(
            $"--gateway {told} contradicts the cluster's URL, which names the primary's gateway {named}, and this silo is the primary (its port is {port}); " +
            $"leave --gateway out, or use ?gateway={told} in the URL of every silo and client.");
    }
}
