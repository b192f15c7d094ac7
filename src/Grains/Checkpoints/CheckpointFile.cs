namespace ConvNet.Grains.Checkpoints;

/// <summary>One file of a checkpoint.</summary>
public sealed record CheckpointFile(string Name, long Size, string Sha256);
