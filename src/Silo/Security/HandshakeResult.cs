namespace ConvNet.Silo.Security;

/// <param name="Reason">Why we don't trust the silo, as half a sentence.</param>
internal readonly record struct HandshakeResult(HandshakeEnd End, string? Reason = null);
