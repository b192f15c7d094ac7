using System.Net;
using System.Net.Sockets;
using ConvNet.Engine.Errors;

namespace ConvNet.Silo.Clustering;

/// <summary>From names to addresses.</summary>
internal static class HostLookup
{
    /// <summary>The address that a host has, IPv4 before IPv6; it may be the one that means all addresses of a machine.</summary>
    /// <param name="source">Where the name was found, for the error.</param>
    /// <exception cref="ConvNetException">The name is not known (exit code 4).</exception>
    public static IPAddress Find(string host, string source)
    {
        if (IPAddress.TryParse(host, out IPAddress? address))
        {
            return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        }

        try
        {
            return Dns.GetHostAddresses(host).OrderBy(known => known.AddressFamily).First();
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException or ArgumentException)
        {
            throw new ConvNetException(
                ExitCode.Environment, $"host '{host}' of {source} cannot be resolved: {e.Message.TrimEnd('.')}; check the name or use an address.", e);
        }
    }

    /// <summary>The same for an address at which others reach one machine.</summary>
    /// <exception cref="ConvNetException">It is no such address (exit code 3).</exception>
    public static IPAddress FindMachine(string host, string source)
    {
        IPAddress address = Find(host, source);
        bool isOneMachine = !IsAny(address) && !address.Equals(IPAddress.Broadcast) && !address.IsIPv6Multicast
            && !(address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes()[0] is >= 224 and <= 239);
        return isOneMachine ? address : throw ConvNetException.BadInput(
            $"{address} in {source} is no address at which a silo can be reached; name one of this machine's addresses, or 127.0.0.1.");
    }

    public static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
