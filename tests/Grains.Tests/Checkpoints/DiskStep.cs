namespace ConvNet.Grains.Tests.Checkpoints;

/// <summary>One operation on a file system.</summary>
/// <param name="Target">Of a move.</param>
/// <param name="Content">Of a write: the whole file.</param>
internal sealed record DiskStep(DiskStepKind Kind, string Path, string? Target = null, byte[]? Content = null);
