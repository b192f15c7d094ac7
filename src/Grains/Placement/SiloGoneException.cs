namespace ConvNet.Grains.Placement;

/// <summary>Thrown to the caller of a pinned grain whose silo is not in the cluster.</summary>
[GenerateSerializer, Alias("ConvNet.SiloGoneException")]
public sealed class SiloGoneException(string message) : Exception(message);
