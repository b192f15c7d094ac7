using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using ConvNet.Engine.Errors;
using Orleans.Configuration;

namespace ConvNet.Silo.Clustering;

/// <summary>
/// A cluster with membership in its first silo: dev://host:port[?gateway=PORT]. For one machine and for tests. Silos and clients that
/// are configured by the same URL find each other.
/// </summary>
/// <param name="Primary">Silo endpoint of the first silo.</param>
/// <param name="NamedGateway">The primary's port for clients, on the same host, if the URL names it.</param>
public sealed partial record DevCluster(IPEndPoint Primary, int? NamedGateway)
{
    private const string ClusterId = "convnet";
    private const string ServiceId = "convnet";
    private const int DefaultGateway = 30000;

    /// <summary>Where clients connect.</summary>
    public int Gateway => NamedGateway ?? DefaultGateway;

    /// <exception cref="ConvNetException">The URL is not one of these (exit code 3).</exception>
    public static DevCluster Parse(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Scheme != "dev" || uri.Port <= 0)
        {
            throw ConvNetException.BadInput($"'{Printable(url)}' is no cluster URL; use dev://host:port[?gateway=PORT], e.g. dev://127.0.0.1:11111.");
        }

        if (uri.UserInfo.Length > 0)
        {
            throw ConvNetException.BadInput($"'{Printable(url)}' names a user, but a dev:// cluster knows none; use dev://host:port[?gateway=PORT].");
        }

        int? named = null;
        foreach (string pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = pair.Split('=', 2);
            if (parts[0] != "gateway" || parts.Length != 2 || !int.TryParse(parts[1], out int gateway) || gateway is < 1 or > 65535)
            {
                string shown = parts[0] == "gateway" ? pair : parts[0];
                throw ConvNetException.BadInput(
                    $"'{shown}' in '{Printable(url)}' is not understood; the only parameter is gateway=PORT with 1 … 65535.");
            }

            named = gateway;
        }

        return new DevCluster(new IPEndPoint(Resolve(uri.Host, url), uri.Port), named);
    }

    /// <summary>The gateway of a silo of this cluster: what it is told, or for the primary what the URL says.</summary>
    /// <param name="told">Null if nothing is said.</param>
    /// <exception cref="ConvNetException">The primary is told another gateway than the URL names: no client would find it (exit code 3).</exception>
    public int GatewayOf(int port, int? told)
    {
        if (port != Primary.Port || NamedGateway is not { } named)
        {
            return told ?? DefaultGateway;
        }

        return told is null || told == named ? named : throw ConvNetException.BadInput(
            $"--gateway {told} contradicts the cluster's URL, which names the primary's gateway {named}, and this silo is the primary (its port is {port}); " +
            $"leave --gateway out, or use ?gateway={told} in the URL of every silo and client.");
    }

    /// <summary>Lets a silo join. The silo whose own port is the primary's begins the cluster.</summary>
    /// <param name="port">For other silos.</param>
    /// <param name="gateway">For clients; only the primary's is in the URL.</param>
    public void Configure(ISiloBuilder silo, int port, int gateway)
    {
        silo.UseDevelopmentClustering(port == Primary.Port ? null : Primary);
        silo.ConfigureEndpoints(Primary.Address, port, gateway);
        silo.Configure<ClusterOptions>(Name);
    }

    /// <summary>Lets a client connect to the primary's gateway.</summary>
    public void Configure(IClientBuilder client)
    {
        client.UseStaticClustering(new IPEndPoint(Primary.Address, Gateway));
        client.Configure<ClusterOptions>(Name);
    }

    private static void Name(ClusterOptions options) => (options.ClusterId, options.ServiceId) = (ClusterId, ServiceId);

    /// <summary>A URL of any kind without what may be secret in it: a user and a password, also if they hold '/' or '@', and parameters.</summary>
    private static string Printable(string url) => User().Replace(url, "$1***@").Split('?', 2)[0];

    private static IPAddress Resolve(string host, string url)
    {
        IPAddress address = Lookup(host, url);
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        bool isOneMachine = !plain.Equals(IPAddress.Any) && !plain.Equals(IPAddress.IPv6Any) && !plain.Equals(IPAddress.Broadcast)
            && !plain.IsIPv6Multicast && !(plain.AddressFamily == AddressFamily.InterNetwork && plain.GetAddressBytes()[0] is >= 224 and <= 239);
        return isOneMachine ? plain : throw ConvNetException.BadInput(
            $"{plain} in '{url}' is no address at which a silo can be reached; name one of this machine's addresses, or 127.0.0.1.");
    }

    private static IPAddress Lookup(string host, string url)
    {
        if (IPAddress.TryParse(host, out IPAddress? address))
        {
            return address;
        }

        try
        {
            return Dns.GetHostAddresses(host.Trim('[', ']')).OrderBy(known => known.AddressFamily).First();
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            throw new ConvNetException(
                ExitCode.Environment, $"host '{host}' of '{url}' cannot be resolved: {e.Message.TrimEnd('.')}; check the name or use an address.", e);
        }
    }

    [GeneratedRegex("^([a-z+]*://)?.*@", RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex User();
}
