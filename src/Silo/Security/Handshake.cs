using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace ConvNet.Silo.Security;

/// <summary>Tries whether a silo would let us in, on a connection of its own that ends at once.</summary>
internal static class Handshake
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly PeerRole[] Silos = [PeerRole.Silo];

    /// <param name="self">Null for a process without certificates, which only learns whether the silo speaks TLS.</param>
    public static async Task<HandshakeResult> TryAsync(IPEndPoint peer, PeerIdentity? self, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Patience);
        using var socket = new TcpClient(peer.AddressFamily);
        var trial = new PeerTrial(peer.Address);
        bool hasCertificate = false;
        try
        {
            await socket.ConnectAsync(peer, deadline.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return new HandshakeResult(HandshakeEnd.Silence);
        }

        try
        {
            await using var wire = new SslStream(socket.GetStream());
            await wire.AuthenticateAsClientAsync(
                Options(self, (certificate, chain, errors) =>
                {
                    hasCertificate = true;
                    return self is null || trial.Accepts(certificate, chain, errors, Silos);
                }),
                deadline.Token);
            if (self is null)
            {
                return new HandshakeResult(HandshakeEnd.Tls);
            }

            byte[] greeting = new byte[Greeting.Text.Length];
            await wire.ReadExactlyAsync(greeting, deadline.Token);
            return new HandshakeResult(Greeting.Text.SequenceEqual(greeting) ? HandshakeEnd.Welcome : HandshakeEnd.Refused);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new HandshakeResult(HandshakeEnd.Silence);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            return trial.Refusal is { } refusal ? new HandshakeResult(HandshakeEnd.NotTrusted, refusal)
                : new HandshakeResult(!hasCertificate ? HandshakeEnd.Plaintext : self is null ? HandshakeEnd.Tls : HandshakeEnd.Refused);
        }
    }

    private static SslClientAuthenticationOptions Options(PeerIdentity? self, Func<X509Certificate2, X509Chain?, SslPolicyErrors, bool> accepts) => new()
    {
        TargetHost = PeerRole.Silo.DnsName(),
        ClientCertificates = self is null ? null : [self.Certificate],
        ApplicationProtocols = [Greeting.Protocol],
        CertificateChainPolicy = self?.ChainPolicy(),
        AllowTlsResume = false,
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            certificate is not null && accepts((X509Certificate2)certificate, chain, errors),
    };
}
