using System.Net;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Placement;
using ConvNet.Grains;
using ConvNet.Silo.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Messaging;
using Orleans.Serialization;
using Orleans.Storage;

namespace ConvNet.Silo.Clustering;

/// <summary>
/// A cluster with membership and grain directory in Redis: redis://host:port?id=NAME, or rediss:// over TLS. Any of its silos may be the first,
/// and clients learn from Redis where the others are. One Redis can serve many clusters, by their names.
/// </summary>
public sealed class RedisCluster : SiloCluster
{
    /// <summary>Name of the grain directory in Redis.</summary>
    private const string Directory = "redis";

    /// <summary>How soon a client hears of silos that are new, or that the others have declared dead: it waits for a gateway that is frozen.</summary>
    private static readonly TimeSpan GatewayRefresh = TimeSpan.FromSeconds(1);

    private readonly RedisAccess _redis;
    private readonly bool _isOnThisMachine;
    private readonly string? _passwordFile;
    private readonly string? _authorityFile;

    internal RedisCluster(ClusterUrl url, string? passwordFile, string? authorityFile, PeerIdentity? identity)
        : base(url, identity)
    {
        string? id = null;
        foreach ((string name, string value) in url.Parameters)
        {
            if (name != "id" || id is not null)
            {
                throw ConvNetException.BadInput($"'{name}' in '{url}' is not understood; the only parameter is id=NAME, once.");
            }

            id = PlainName.ProblemOf(value, 63) is { } problem ? throw ConvNetException.BadInput($"the cluster's id {problem}.") : value;
        }

        Id = id ?? throw ConvNetException.BadInput($"'{url}' does not name the cluster; add ?id=NAME, the same for all its silos and clients.");
        if (authorityFile is not null && url.Scheme != "rediss")
        {
            throw ConvNetException.BadInput(
                $"--redis-ca is for a Redis that speaks TLS, but the cluster is {url}; write rediss:// there, or leave it out.");
        }

        (_passwordFile, _authorityFile) = (passwordFile, authorityFile);
        _isOnThisMachine = IPAddress.IsLoopback(HostLookup.FindMachine(url.Host, $"'{url}'"));
        RedisTrust? trust = url.Scheme == "rediss" ? RedisTrust.Of(url.Host, authorityFile, identity) : null;
        _redis = new RedisAccess(url.Host, url.Port, trust, passwordFile);
    }

    /// <summary>Name of the cluster.</summary>
    public string Id { get; }

    public override string Arguments =>
        base.Arguments + (_passwordFile is null ? "" : $" --redis-password-file {ShellWord.Quote(_passwordFile)}") +
        (_authorityFile is null ? "" : $" --redis-ca {ShellWord.Quote(_authorityFile)}");

    public override ClusterHead Head => new(Primary: null, Directory);

    public override bool IsInStore => true;

    public override string Entrance => $"the other silos of cluster '{Id}', which Redis at {_redis.Endpoint} knows";

    public override string JoinAdvice =>
        $"check that the advertised addresses of all silos of cluster '{Id}' can be reached from here, and that Redis at {_redis.Endpoint} answers; " +
        "silos that were killed together with all others count as alive for up to 20 s";

    public override string Reception => $"{Url} (Redis at {_redis.Endpoint} does)";

    public override async Task CheckAsync(Action<string> warn, CancellationToken cancellation = default)
    {
        if (!await _redis.IsOpenAsync(cancellation))
        {
            return;
        }

        string danger = $"Redis at {_redis.Endpoint} asks for no password: whoever reaches it can join the cluster or break it";
        if (!_isOnThisMachine)
        {
            throw new ConvNetException(
                ExitCode.NotAuthorised,
                $"{danger}; set one there (requirepass), and name a file with it in --redis-password-file. " +
                "Only a Redis on a loopback address may do without.");
        }

        warn($"{danger}.");
    }

    public override SiloPorts PortsOf(string? listen, string? advertise, int port, int? gateway, bool isInsecure)
    {
        IPAddress listens = listen is null ? IPAddress.Loopback : HostLookup.Find(listen, "--listen");
        if (HostLookup.IsAny(listens) && advertise is null)
        {
            throw ConvNetException.BadInput(
                $"--listen {listen} means all addresses of this machine; say with --advertise ADDRESS at which one others find it.");
        }

        IPAddress found = advertise is null ? listens : HostLookup.FindMachine(advertise, "--advertise");
        if (IPAddress.IsLoopback(found) && !_isOnThisMachine)
        {
            throw ConvNetException.BadInput(
                (advertise is null ? "--listen" : "--advertise") +
                $": the silo would be advertised at {found}, where no other machine finds it, but Redis at {_redis.Endpoint} is on another one; " +
                "name an address of this machine in --listen or --advertise.");
        }

        return DemandSafe(new SiloPorts(listens, found, port, gateway ?? DefaultGateway), isInsecure);
    }

    public override void Configure(ISiloBuilder silo, SiloPorts ports)
    {
        silo.UseRedisClustering(options => options.ConfigurationOptions = _redis.Options());
        silo.AddRedisGrainDirectory(Directory, options => options.ConfigurationOptions = _redis.Options());
        silo.AddRedisGrainStorage(ConvNetGrainServices.JobStore, store => store.Configure<Serializer>((options, serializer) =>
        {
            options.ConfigurationOptions = _redis.Options();
            options.DeleteStateOnClear = true;
            options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
        }));
        silo.UseRedisReminderService(options => options.ConfigurationOptions = _redis.Options());
        silo.Configure<EndpointOptions>(options =>
        {
            options.AdvertisedIPAddress = ports.Advertise;
            options.SiloPort = ports.Silos;
            options.GatewayPort = ports.Clients;
            options.SiloListeningEndpoint = new IPEndPoint(ports.Listen, ports.Silos);
            options.GatewayListeningEndpoint = new IPEndPoint(ports.Listen, ports.Clients);
        });
        silo.Configure<ClusterOptions>(Name);
    }

    public override void Configure(IClientBuilder client)
    {
        client.UseRedisClustering(options => options.ConfigurationOptions = _redis.Options());
        client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = GatewayRefresh);
        client.Configure<ClusterOptions>(Name);
    }

    public override async Task<IReadOnlyList<IPEndPoint>> SilosAsync(SiloPorts own, IServiceProvider services)
    {
        IMembershipTable table = services.GetRequiredService<IMembershipTable>();
        await table.InitializeMembershipTableAsync(tryInitTableVersion: true);
        MembershipTableData known = await table.ReadAllAsync();
        return
        [
            .. from member in known.Members
               where member.Item1.Status == SiloStatus.Active
               select member.Item1.SiloAddress.Endpoint,
        ];
    }

    public override async Task<IReadOnlyList<IPEndPoint>> GatewaysAsync(IServiceProvider services)
    {
        IGatewayListProvider gateways = services.GetRequiredService<IGatewayListProvider>();
        await gateways.InitializeGatewayListProvider();
        return [.. (await gateways.GetGateways()).Select(gateway => new IPEndPoint(IPAddress.Parse(gateway.Host.Trim('[', ']')), gateway.Port))];
    }

    private void Name(ClusterOptions options) => (options.ClusterId, options.ServiceId) = (Id, Id);
}
