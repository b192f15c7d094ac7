using ConvNet.Client.Cluster;
using ConvNet.Client.Tests.Runs;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Tests.Monitor;

/// <summary>A cluster of fake jobs, which may be away.</summary>
internal sealed class FakeCluster : ClusterConnection, IJobDirectoryGrain, IClusterGrain
{
    public Dictionary<string, FakeJob> Known { get; } = [];

    public bool IsAway { get; set; }

    public int Lists { get; private set; }

    public int Disposals { get; private set; }

    public override IGrainFactory Grains => throw new NotSupportedException();

    public override IJobDirectoryGrain Jobs => this;

    public override IClusterGrain Silos => this;

    public override IJobGrain Job(string id) => Known[id];

    public override ValueTask DisposeAsync()
    {
        Disposals++;
        return ValueTask.CompletedTask;
    }

    public Task<long> RegisterAsync(string jobId) => throw new NotSupportedException();

    public Task<QueueTurn> TurnAsync(QueuedJob job) => throw new NotSupportedException();

    public Task LeaveQueueAsync(string jobId) => throw new NotSupportedException();

    public Task<bool> MayGrowAsync(int priority) => throw new NotSupportedException();

    public Task LeaveSiloAsync(string silo) => throw new NotSupportedException();

    public Task<string[]> ListAsync()
    {
        Lists++;
        return IsAway ? Task.FromException<string[]>(new TimeoutException()) : Task.FromResult(Known.Keys.ToArray());
    }

    public Task<ClusterSilo[]> SilosAsync() => Task.FromResult<ClusterSilo[]>([new("node-1", "127.0.0.1:11111", true, true, 2, 1, "0.1.0", null)]);
}
