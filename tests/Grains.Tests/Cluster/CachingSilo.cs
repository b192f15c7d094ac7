using ConvNet.Grains.Checkpoints;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>Keeps the checkpoints of jobs that have ended for seconds.</summary>
public sealed class CachingSilo : ClusterFixture
{
    public CachingSilo()
        : this(Directory.CreateTempSubdirectory("convnet-test-").FullName)
    {
    }

    private CachingSilo(string cache)
        : base(1, cache: new CheckpointCache(cache, TimeSpan.FromSeconds(3))) => Cache = cache;

    public string Cache { get; }
}
