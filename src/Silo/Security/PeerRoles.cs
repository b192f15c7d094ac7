namespace ConvNet.Silo.Security;

/// <summary>How a role stands in a certificate: as a DNS name among its alternative names, and in the names of its files.</summary>
internal static class PeerRoles
{
    public static string DnsName(this PeerRole role) => $"{role.InWords()}.convnet";

    public static string InWords(this PeerRole role) => role switch
    {
        PeerRole.Silo => "silo",
        PeerRole.Client => "client",
        _ => "redis",
    };
}
