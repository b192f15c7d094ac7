namespace ConvNet.Grains.Calls;

/// <summary>Thrown to a caller whose order is taken but not in the cluster's store yet: it asks again, as it would if nobody had answered.</summary>
/// <param name="message">A clause that follows who was asked.</param>
[GenerateSerializer, Alias("ConvNet.NotKeptException")]
public sealed class NotKeptException(string message) : TimeoutException(message);
