namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>Names a data set so that every machine finds the same one.</summary>
/// <param name="NameOrPath">A built-in name, or an absolute path.</param>
/// <param name="Size">"HxW" to which images of a folder are resized, or null.</param>
/// <param name="Sha256">Of the decoded data, lower-case hex.</param>
public sealed record DataReference(string NameOrPath, string? Size, string Sha256);
