using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;
using Orleans.Connections.Security;

namespace ConvNet.Silo.Security;

/// <summary>Mutual TLS on every connection: each side demands a certificate of our CA for the role that the port takes.</summary>
public static class WireTls
{
    private static readonly PeerRole[] Silos = [PeerRole.Silo];
    private static readonly PeerRole[] Everybody = [PeerRole.Silo, PeerRole.Client];

    /// <summary>The silo's calls to other silos. What comes in is the gate's, <see cref="ConnectionGate"/>.</summary>
    internal static void Secure(ISiloBuilder silo, PeerIdentity self) =>
        silo.Configure<SiloConnectionOptions>(options => options.ConfigureSiloOutboundConnection(connection => UseClient(connection, self)));

    /// <summary>The calls of a client.</summary>
    public static void Secure(IClientBuilder client, PeerIdentity self) =>
        client.Configure<ClientConnectionOptions>(options => options.ConfigureConnection(connection => UseClient(connection, self)));

    /// <summary>The silo port: other silos alone.</summary>
    internal static void UseSiloPort(IConnectionBuilder connection, PeerIdentity self) => UseServer(connection, self, Silos);

    /// <summary>The gateway: clients, and silos that are clients.</summary>
    internal static void UseGateway(IConnectionBuilder connection, PeerIdentity self) => UseServer(connection, self, Everybody);

    private static void UseServer(IConnectionBuilder connection, PeerIdentity self, PeerRole[] roles)
    {
        TlsOptions options = OptionsOf(self, roles);
        options.OnAuthenticateAsServer = (_, chosen) =>
        {
            var server = (SslServerAuthenticationOptions)chosen.SslServerAuthenticationOptions;
            server.CertificateChainPolicy = self.ChainPolicy();
            server.ApplicationProtocols = [.. server.ApplicationProtocols ?? [], Greeting.Protocol];
            server.AllowTlsResume = false;
            server.AllowRenegotiation = false;
        };
        connection.UseServerTls(options);
        connection.Use(Greeting.Answer);
    }

    private static void UseClient(IConnectionBuilder connection, PeerIdentity self)
    {
        TlsOptions options = OptionsOf(self, Silos);
        options.OnAuthenticateAsClient = (_, chosen) =>
        {
            // Connections go to addresses; what counts is the role.
            chosen.TargetHost = PeerRole.Silo.DnsName();
            var client = (SslClientAuthenticationOptions)chosen.SslClientAuthenticationOptions;
            client.CertificateChainPolicy = self.ChainPolicy();
            client.AllowTlsResume = false;
            client.AllowRenegotiation = false;
        };
        connection.Use(next => context =>
        {
            PeerTrial.Current = new PeerTrial((context.RemoteEndPoint as IPEndPoint)?.Address);
            return next(context);
        });
        connection.UseClientTls(options);
        connection.Use(next => context =>
        {
            PeerTrial.Current = null;
            return next(context);
        });
    }

    private static TlsOptions OptionsOf(PeerIdentity self, PeerRole[] roles) => new()
    {
        LocalCertificate = self.Certificate,
        RemoteCertificateMode = RemoteCertificateMode.RequireCertificate,
        ClientCertificateMode = RemoteCertificateMode.RequireCertificate,
        HandshakeTimeout = WireLimits.Default.ProofTime,
        RemoteCertificateValidation = (certificate, chain, errors) => PeerTrial.Current?.Accepts(certificate, chain, errors, roles) == true,
    };
}
