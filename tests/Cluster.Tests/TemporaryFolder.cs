namespace ConvNet.Cluster.Tests;

/// <summary>The working directory of one test, deleted at its end.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("convnet-cluster-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
