namespace ConvNet.Grains.Calls;

/// <summary>A call of a client that has timed out.</summary>
/// <param name="message">Who is silent and since when, as half a sentence.</param>
public sealed class UnansweredCallException(string message, Exception inner) : TimeoutException(message, inner);
