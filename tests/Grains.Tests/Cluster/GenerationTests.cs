using ConvNet.Engine.Models;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>Workers and servers under the hand of the test instead of a job grain.</summary>
[Collection(nameof(ClusterCollection))]
public sealed class GenerationTests(TwoSilos cluster)
{
    private const int Batch = 20;
    private const int Steps = 8;
    private const int LastOfBoth = 3;

    private const string Net = """
        {"name":"small","input":[1,28,28],"layers":[
          {"type":"conv","out":8,"kernel":3,"stride":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},{"type":"dropout","rate":0.25},
          {"type":"flatten"},{"type":"fullyConnected","out":10}]}
        """;

    private static readonly JobSpec Job = TestJobs.Job(ModelFile.Parse(Net), Batch, Steps);

    [Fact]
    public async Task A_worker_that_waits_for_a_lost_one_goes_on_in_the_next_generation_to_the_same_bits()
    {
        string expected = await TestJobs.HashAsync(cluster.Grains, Job, workers: 1);
        Assignment both = Assign(
            "goes-on", 1, 0, new AssignedWorker(Key(0), 1, new ShardRange(0, 2), 1), new AssignedWorker(Key(1), 1, new ShardRange(2, 4), 1));
        await BeginAsync(both);
        await Worker(both, 0).RunAsync(both.HeaderOf(0), 1, Steps);
        await Worker(both, 1).RunAsync(both.HeaderOf(0), 1, LastOfBoth);
        await UntilAsync(async () => await Worker(both, 0).StatusAsync() is { Step: LastOfBoth, Phase: WorkerPhase.WaitingForBatchNorm });
        await UntilAsync(async () => (await Coordinator(both).ProgressAsync()).Position.Step == LastOfBoth);

        Assignment alone = Assign("goes-on", 2, LastOfBoth, new AssignedWorker(Key(0), 2, new ShardRange(0, 4), 1));
        await BeginAsync(alone);
        IWorkerGrain worker = Worker(alone, 0);
        await worker.ReleaseAsync(both.HeaderOf(0));
        Assert.Equal(Verdict.Stale, (await worker.PrepareAsync(both)).Verdict);
        Assert.Equal(Verdict.Stale, (await worker.RunAsync(both.HeaderOf(0), 2, Steps)).Verdict);
        Assert.Equal(Verdict.Accepted, (await worker.RunAsync(alone.HeaderOf(LastOfBoth), 1, Steps)).Verdict);
        await UntilAsync(async () => (await Coordinator(alone).ProgressAsync()).Position.Step == Steps);

        WorkerStatus status = await worker.StatusAsync();
        Checkpoint reached = await VersionReader.ReadAsync(cluster.Grains, alone, (await Coordinator(alone).ProgressAsync()).Position, null);
        await EndAsync(alone, Worker(both, 1));
        Assert.Equal(expected, reached.StateSha256());
        Assert.Equal(LastOfBoth * Batch / 2 + (Steps - LastOfBoth) * Batch, status.Samples);
        Assert.Equal((2, 0, 4), (status.Generation, status.FirstShard, status.EndShard));
    }

    [Fact]
    public async Task Only_the_release_of_its_own_generation_frees_a_worker()
    {
        IWorkerGrain worker = cluster.Grains.GetGrain<IWorkerGrain>(Key(0));
        await worker.ReserveAsync("first");
        await worker.ReleaseAsync(new MessageHeader("first", 0, 0));
        Assert.Equal("second", await worker.ReserveAsync("second"));
        await worker.PrepareAsync(Assign("second", 2, 0, new AssignedWorker(Key(0), 2, new ShardRange(0, 4), 1)));

        await worker.ReleaseAsync(new MessageHeader("first", long.MaxValue, 0));
        await worker.ReleaseAsync(new MessageHeader("second", 0, 0));
        await worker.ReleaseAsync(new MessageHeader("second", 1, 0));
        Assert.Equal("second", await worker.ReserveAsync("third"));
        Assert.Equal(2, (await worker.StatusAsync()).Generation);

        await worker.ReleaseAsync(new MessageHeader("second", 2, 0));
        Assert.Equal("third", await worker.ReserveAsync("third"));
        Assert.Equal(0, (await worker.StatusAsync()).Generation);
        await worker.ReleaseAsync(new MessageHeader("third", 0, 0));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        long end = Environment.TickCount64 + 60_000;
        while (!await condition())
        {
            Assert.True(Environment.TickCount64 < end, "it has not come to that");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    private string Key(int silo) => PinnedKey.Worker(cluster.SiloNames[silo], 0);

    private Assignment Assign(string jobId, long generation, long firstStep, params AssignedWorker[] workers)
    {
        string shared = PinnedKey.OfJob(cluster.SiloNames[0], jobId);
        string[] partitions = [.. cluster.SiloNames.Select((silo, p) => PinnedKey.Partition(silo, jobId, p))];
        AssignmentStart start = generation > 1 ? AssignmentStart.GoOn : AssignmentStart.Fresh;
        return new Assignment(jobId, Job.ToJson(), generation, firstStep, workers, new ServerKeys(partitions, shared, shared, shared), start);
    }

    private IWorkerGrain Worker(Assignment assignment, int index) => cluster.Grains.GetGrain<IWorkerGrain>(assignment.Workers[index].Name);

    private IStepCoordinatorGrain Coordinator(Assignment assignment) => cluster.Grains.GetGrain<IStepCoordinatorGrain>(assignment.Servers.Coordinator);

    private async Task BeginAsync(Assignment assignment)
    {
        foreach (string key in assignment.Servers.Partitions)
        {
            await cluster.Grains.GetGrain<IParameterServerGrain>(key).BeginAsync(assignment);
        }

        await cluster.Grains.GetGrain<IBatchNormGrain>(assignment.Servers.BatchNorm).BeginAsync(assignment, 0);
        await Coordinator(assignment).BeginAsync(assignment, JobPosition.Start);
        for (int worker = 0; worker < assignment.Workers.Length; worker++)
        {
            Assert.Equal(assignment.JobId, await Worker(assignment, worker).ReserveAsync(assignment.JobId));
            Assert.Equal(Verdict.Accepted, (await Worker(assignment, worker).PrepareAsync(assignment)).Verdict);
        }
    }

    /// <param name="lost">A worker that has no part in the last generation.</param>
    private async Task EndAsync(Assignment assignment, IWorkerGrain lost)
    {
        MessageHeader end = assignment.HeaderOf(Steps);
        foreach (string key in assignment.Servers.Partitions)
        {
            await cluster.Grains.GetGrain<IParameterServerGrain>(key).ReleaseAsync(end);
        }

        await cluster.Grains.GetGrain<IBatchNormGrain>(assignment.Servers.BatchNorm).ReleaseAsync(end);
        await Coordinator(assignment).ReleaseAsync(end);
        await Worker(assignment, 0).ReleaseAsync(end);
        await lost.ReleaseAsync(end);
    }
}
