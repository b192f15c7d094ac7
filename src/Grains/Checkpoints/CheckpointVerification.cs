namespace ConvNet.Grains.Checkpoints;

/// <summary>What a check of a checkpoint folder found.</summary>
/// <param name="Step">From the manifest; null if that cannot be read.</param>
/// <param name="StateSha256">Likewise.</param>
/// <param name="Problems">One sentence each; empty if the checkpoint is whole.</param>
public sealed record CheckpointVerification(
    string Path, long? Step, string? StateSha256, string? WeightsSha256, IReadOnlyList<string> Problems)
{
    public bool Ok => Problems.Count == 0;
}
