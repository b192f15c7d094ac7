using System.Net;
using ConvNet.Engine.Errors;

namespace ConvNet.Silo.Security;

/// <summary>Tells who cannot be let in why, before anything is tried again and again.</summary>
public static class Admittance
{
    /// <summary>Silos that are asked; one that lets us in is enough.</summary>
    private const int MaxAsked = 8;

    /// <summary>A gate that is under attack closes connections unheard.</summary>
    private const int Tries = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    /// <summary>Returns if one of the silos lets us in, and if none answers at all.</summary>
    /// <param name="self">Our certificate, or null without TLS.</param>
    /// <exception cref="ConvNetException">They don't let us in, or we must not trust them (exit code 8).</exception>
    public static async Task DemandAsync(IEnumerable<IPEndPoint> silos, PeerIdentity? self, CancellationToken cancellation)
    {
        IPEndPoint[] asked = [.. silos.Take(MaxAsked)];
        string?[] refusals = await Task.WhenAll(asked.Select(silo => RefusalAsync(silo, self, cancellation)));
        if (refusals.Length > 0 && Array.TrueForAll(refusals, refusal => refusal is not null))
        {
            throw new ConvNetException(ExitCode.NotAuthorised, refusals[0]!);
        }
    }

    private static async Task<string?> RefusalAsync(IPEndPoint silo, PeerIdentity? self, CancellationToken cancellation)
    {
        HandshakeResult result = await Handshake.TryAsync(silo, self, cancellation);
        for (int again = 1; again < Tries && self is not null && result.End is HandshakeEnd.Plaintext or HandshakeEnd.Refused; again++)
        {
            await Task.Delay(Pause, cancellation);
            result = await Handshake.TryAsync(silo, self, cancellation);
        }

        return result.End switch
        {
            HandshakeEnd.Plaintext when self is not null =>
                $"the silo at {silo} does not speak TLS, but --tls {self.Folder} demands it; start all silos of the cluster with --tls, or leave it out here.",
            HandshakeEnd.Tls => $"the silo at {silo} demands TLS; name the folder with your certificate in --tls " +
                "('convnet cluster certs add DIR --client NAME' makes one for a client, --silo NAME for a silo).",
            HandshakeEnd.NotTrusted =>
                $"the silo at {silo} is not to be trusted: {result.Reason}; check --cluster, and that --tls {self!.Folder} is of this cluster.",
            HandshakeEnd.Refused => $"the silo at {silo} refuses the {self!.Role.InWords()} certificate in '{self.Folder}'; the silo's log says why. Use one " +
                "of this cluster's CA that has not expired ('convnet cluster certs show DIR').",
            _ => null,
        };
    }
}
