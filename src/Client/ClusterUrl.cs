using System.Net;
using ConvNet.Engine;

namespace ConvNet.Client;

/// <summary>Where a cluster is: <c>dev://host:port[?gateway=PORT]</c>.</summary>
/// <param name="Primary">The silo port of the primary silo, to which the other silos go.</param>
/// <param name="Gateway">The port for clients.</param>
public sealed record ClusterUrl(IPEndPoint Primary, int Gateway)
{
    private const int DefaultGateway = 30000;

    public IPEndPoint GatewayEndPoint => new(Primary.Address, Gateway);

    /// <exception cref="ConvNetException">Code 2 if this is no such URL, 3 for a kind of cluster that is not supported, 4 if the host is unknown.</exception>
    public static ClusterUrl Parse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || url.Host.Length == 0)
        {
            throw new ConvNetException(ExitCode.Usage, $"--cluster takes a URL such as dev://127.0.0.1:11111?gateway=30000; got '{text}'.");
        }

        if (url.Scheme != "dev")
        {
            throw ConvNetException.BadInput($"--cluster: clusters of kind '{url.Scheme}://' are not supported; use dev://host:port.");
        }

        if (url.Port <= 0)
        {
            throw new ConvNetException(ExitCode.Usage, $"--cluster: '{text}' has no port; give the silo port of the primary silo, e.g. dev://{url.Host}:11111.");
        }

        return new ClusterUrl(new IPEndPoint(Resolve(url.Host), url.Port), ParseGateway(url.Query, text));
    }

    private static int ParseGateway(string query, string text)
    {
        if (query.Length == 0)
        {
            return DefaultGateway;
        }

        string[] parts = query[1..].Split('=');
        return parts is ["gateway", var port] && int.TryParse(port, out int number) && number is > 0 and < 65536
            ? number
            : throw new ConvNetException(ExitCode.Usage, $"--cluster: '{text}' may only have ?gateway=PORT behind the port.");
    }

    private static IPAddress Resolve(string host)
    {
        if (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address))
        {
            return address;
        }

        try
        {
            IPAddress[] known = Dns.GetHostAddresses(host);
            return known.FirstOrDefault(candidate => candidate.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork) ?? known[0];
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or IndexOutOfRangeException)
        {
            throw new ConvNetException(ExitCode.Environment, $"--cluster: host '{host}' is not known: {e.Message}", e);
        }
    }
}
