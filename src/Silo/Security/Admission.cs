using Microsoft.AspNetCore.Connections;

namespace ConvNet.Silo.Security;

/// <summary>One connection that has come in, from its first byte to its end.</summary>
internal sealed class Admission(ConnectionContext connection)
{
    private string? _reason;

    /// <summary>What its certificate is found to be.</summary>
    public PeerTrial Trial { get; } = new(place: null);

    /// <summary>Whether the peer has proved who it is: with TLS by its certificate, and always by the first words of the protocol.</summary>
    public bool IsProven { get; set; }

    /// <summary>Whether the peer only wanted to know if it would be let in, and would be.</summary>
    public bool IsGreeted { get; private set; }

    /// <summary>Why the connection was ended, as half a sentence; null if the peer left without a reason of ours.</summary>
    public string? Reason => _reason ?? Trial.Refusal;

    public void Greet() => IsGreeted = true;

    /// <summary>Closes the connection. The first reason counts.</summary>
    public void End(string reason)
    {
        Interlocked.CompareExchange(ref _reason, reason, null);
        connection.Abort();
    }
}
