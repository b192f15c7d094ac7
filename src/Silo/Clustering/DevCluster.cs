using System.Net;
using ConvNet.Engine.Errors;
using Orleans.Configuration;

namespace ConvNet.Silo.Clustering;

/// <summary>
/// A cluster with membership in its first silo: dev://host:port[?gateway=PORT]. For one machine and for tests. Silos and clients that
/// are configured by the same URL find each other.
/// </summary>
/// <param name="Primary">Silo endpoint of the first silo.</param>
/// <param name="Gateway">Where clients connect, on the same host.</param>
public sealed record DevCluster(IPEndPoint Primary, int Gateway)
{
    private const string ClusterId = "convnet";
    private const string ServiceId = "convnet";
    private const int DefaultGateway = 30000;

    /// <exception cref="ConvNetException">The URL is not one of these (exit code 3).</exception>
    public static DevCluster Parse(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Scheme != "dev" || uri.Port <= 0)
        {
            throw ConvNetException.BadInput($"'{url}' is no cluster URL; use dev://host:port[?gateway=PORT], e.g. dev://127.0.0.1:11111.");
        }

        int gateway = DefaultGateway;
        foreach (string pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = pair.Split('=', 2);
            if (parts[0] != "gateway" || parts.Length != 2 || !int.TryParse(parts[1], out gateway) || gateway is < 1 or > 65535)
            {
                throw ConvNetException.BadInput($"'{pair}' in '{url}' is not understood; the only parameter is gateway=PORT with 1 … 65535.");
            }
        }

        return new DevCluster(new IPEndPoint(Resolve(uri.Host, url), uri.Port), gateway);
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

    private static IPAddress Resolve(string host, string url)
    {
        try
        {
            return Dns.GetHostAddresses(host.Trim('[', ']')).OrderBy(address => address.AddressFamily).First();
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or InvalidOperationException)
        {
            throw new ConvNetException(
                ExitCode.Environment, $"host '{host}' of '{url}' cannot be resolved: {e.Message.TrimEnd('.')}; check the name or use an address.", e);
        }
    }
}
