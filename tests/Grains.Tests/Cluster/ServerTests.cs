using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Protocol.Partition;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>The life of a job's servers, as grains: begin, freeze, release, and what becomes of them without a job.</summary>
[Collection(nameof(ClusterCollection))]
public sealed class ServerTests(TwoSilos cluster)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_pull_that_waits_is_woken_by_a_freeze_and_learns_that_its_generation_is_over()
    {
        (Assignment assignment, IParameterServerGrain partition, _, _) = await BegunAsync();
        Task<BlockAnswer> waiting = partition.PullAsync(assignment.HeaderOf(1, 0), 0);
        Assert.Equal(new FrozenAt(Verdict.Accepted, 0), await partition.FreezeAsync(Next(assignment)));

        Assert.Equal(Verdict.Stale, (await waiting.WaitAsync(Deadline, TestContext.Current.CancellationToken)).Verdict);
    }

    [Fact]
    public async Task Gradients_that_a_partition_does_not_add_are_counted_by_reason()
    {
        var counted = new ConcurrentBag<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "convnet.gradients.rejected")
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => counted.Add($"{tags[0].Value}"));
        listener.Start();
        (Assignment assignment, IParameterServerGrain partition, _, _) = await BegunAsync();
        JobSpec job = JobSpec.FromJson(assignment.JobJson);
        var plan = new PartitionPlan(new Model(job.Model, job.BatchNormMode).Layout, 0, 1);
        var root = new GradientRoot(assignment.HeaderOf(0, 0), 0, new ShardPlan(job.Shape.TreeOf(0), 0, 4).Roots[0]);

        foreach ((string? reason, GradientRoot pushed, float value) in new[]
        {
            (null, root, 1f), ("duplicate", root, 1f), ("conflict", root, 2f), ("malformed", root with { Chunk = 1 << 20 }, 1f),
            ("stale", root with { Header = root.Header with { Generation = 0 } }, 1f),
        })
        {
            int before = counted.Count(known => known == reason);
            float[] floats = new float[plan.Chunks[0].Length];
            Array.Fill(floats, value);
            await partition.PushAsync(pushed, new TensorBlock(floats, 0, floats.Length));
            Assert.True(reason is null || counted.Count(known => known == reason) > before, $"{reason} is not counted");
        }
    }

    [Fact]
    public async Task All_servers_freeze_and_go_on_in_the_next_generation()
    {
        (Assignment assignment, IParameterServerGrain partition, IBatchNormGrain batchNorm, IStepCoordinatorGrain coordinator) = await BegunAsync();
        MessageHeader next = Next(assignment);
        Assert.Equal(new FrozenAt(Verdict.Accepted, 0), await partition.FreezeAsync(next));
        Assert.Equal(new FrozenAt(Verdict.Accepted, FrozenAt.Stateless), await batchNorm.FreezeAsync(next));
        Assert.Equal(new FrozenAt(Verdict.Accepted, 0), await coordinator.FreezeAsync(next));
        Assert.Equal(Verdict.Stale, (await partition.BeginAsync(assignment)).Verdict);

        Assignment second = assignment with { Generation = next.Generation, Start = AssignmentStart.GoOn };
        Assert.Equal(Verdict.Accepted, (await partition.BeginAsync(second)).Verdict);
        Assert.Equal(Verdict.Duplicate, (await partition.BeginAsync(second)).Verdict);
        Assert.Equal(Verdict.Accepted, (await batchNorm.BeginAsync(second, 0)).Verdict);
        Assert.Equal(Verdict.Accepted, (await coordinator.BeginAsync(second, JobPosition.Start)).Verdict);
        Assert.Equal(2, (await coordinator.ProgressAsync()).Generation);
        Assert.Equal(Verdict.Accepted, (await partition.PullAsync(second.HeaderOf(0, 0), 0)).Verdict);
    }

    [Fact]
    public async Task A_server_without_state_says_so_and_does_not_start_from_the_seed()
    {
        Assignment assignment = Assign() with { Generation = 3, FirstStep = 7, Start = AssignmentStart.GoOn };
        IParameterServerGrain partition = cluster.Grains.GetGrain<IParameterServerGrain>(assignment.Servers.Partitions[0]);
        IStepCoordinatorGrain coordinator = cluster.Grains.GetGrain<IStepCoordinatorGrain>(assignment.Servers.Coordinator);

        FrozenAt frozen = await partition.FreezeAsync(assignment.HeaderOf(0));
        Assert.Equal((Verdict.Rejected, -1), (frozen.Answer.Verdict, frozen.Version));
        Assert.Contains("holds no state of job", frozen.Answer.Reason);
        foreach (Answer refused in new[] { await partition.BeginAsync(assignment), await coordinator.BeginAsync(assignment, JobPosition.Start) })
        {
            Assert.Equal(Verdict.Rejected, refused.Verdict);
            Assert.Contains("holds no state of job", refused.Reason);
        }

        Answer fresh = await partition.BeginAsync(assignment with { Start = AssignmentStart.Fresh });
        Assert.Equal(Verdict.Rejected, fresh.Verdict);
        Assert.Contains("step 0 only", fresh.Reason);
    }

    [Fact]
    public async Task Many_begins_and_a_release_at_once_leave_one_machine_or_none()
    {
        Assignment assignment = Assign();
        IParameterServerGrain partition = cluster.Grains.GetGrain<IParameterServerGrain>(assignment.Servers.Partitions[0]);
        Answer[] begun = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => partition.BeginAsync(assignment)));
        Assert.Single(begun, answer => answer.Verdict == Verdict.Accepted);
        Assert.All(begun, answer => Assert.True(answer.IsAcknowledged));

        Task<Answer> overtaken = partition.BeginAsync(assignment with { Generation = 2 });
        Task frozen = partition.FreezeAsync(assignment.HeaderOf(0) with { Generation = 3 });
        await frozen;
        Assert.True((await overtaken).Verdict is Verdict.Accepted or Verdict.Stale);
        Assert.Equal(Verdict.Stale, (await partition.PullAsync(assignment.HeaderOf(0, 0) with { Generation = 2 }, 0)).Verdict);
        await partition.ReleaseAsync(assignment.HeaderOf(0) with { Generation = 2 });
        Assert.Equal(Verdict.Accepted, (await partition.FreezeAsync(assignment.HeaderOf(0) with { Generation = 3 })).Answer.Verdict);
    }

    [Fact]
    public async Task A_server_frees_itself_when_its_job_is_gone_and_not_before()
    {
        var forgetful = new ForgetfulSilo();
        await forgetful.InitializeAsync();
        await using (forgetful)
        {
            using var folder = new TemporaryFolder();
            IJobGrain job = forgetful.Grains.GetGrain<IJobGrain>("lives");
            await job.SubmitAsync(TestJobs.Submission(TestJobs.Job("lenet", batch: 20, steps: 200_000), folder.Path, workers: 1, partitions: 2));
            await TestJobs.UntilAsync(job, status => status.State == JobState.Running);
            IParameterServerGrain needed = forgetful.Grains.GetGrain<IParameterServerGrain>(PinnedKey.Partition(forgetful.SiloNames[0], "lives", 0));
            Assignment assignment = Assign(forgetful.SiloNames[0]);
            IParameterServerGrain lost = forgetful.Grains.GetGrain<IParameterServerGrain>(assignment.Servers.Partitions[0]);
            await lost.BeginAsync(assignment);

            // A freeze of generation 1 is stale as long as that generation is there, and is no message of the job.
            long end = Environment.TickCount64 + (long)Deadline.TotalMilliseconds;
            while ((await lost.FreezeAsync(assignment.HeaderOf(0))).Answer.Verdict == Verdict.Stale)
            {
                Assert.True(Environment.TickCount64 < end, "the server is still there");
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }

            Assert.Equal(Verdict.Stale, (await needed.FreezeAsync(new MessageHeader("lives", 1, 0))).Answer.Verdict);
            await job.OrderAsync(JobOrder.Of(JobOrderKind.Stop));
            Assert.Equal(JobState.Stopped, (await TestJobs.EndAsync(job)).State);
        }
    }

    private static MessageHeader Next(Assignment assignment) => assignment.HeaderOf(0) with { Generation = assignment.Generation + 1 };

    private Assignment Assign(string? silo = null)
    {
        string job = $"servers-{Guid.NewGuid():N}";
        string shared = PinnedKey.OfJob(silo ?? cluster.SiloNames[1], job);
        return new Assignment(
            job,
            TestJobs.Job("lenet", batch: 20, steps: 30).ToJson(),
            1,
            0,
            [new AssignedWorker("nobody/0", 1, new ShardRange(0, 4), 1)],
            new ServerKeys([PinnedKey.Partition(silo ?? cluster.SiloNames[1], job, 0)], shared, shared, shared));
    }

    private async Task<(Assignment Assignment, IParameterServerGrain Partition, IBatchNormGrain BatchNorm, IStepCoordinatorGrain Coordinator)> BegunAsync()
    {
        Assignment assignment = Assign();
        IParameterServerGrain partition = cluster.Grains.GetGrain<IParameterServerGrain>(assignment.Servers.Partitions[0]);
        IBatchNormGrain batchNorm = cluster.Grains.GetGrain<IBatchNormGrain>(assignment.Servers.BatchNorm);
        IStepCoordinatorGrain coordinator = cluster.Grains.GetGrain<IStepCoordinatorGrain>(assignment.Servers.Coordinator);
        Assert.Equal(Verdict.Accepted, (await partition.BeginAsync(assignment)).Verdict);
        Assert.Equal(Verdict.Accepted, (await batchNorm.BeginAsync(assignment, 0)).Verdict);
        Assert.Equal(Verdict.Accepted, (await coordinator.BeginAsync(assignment, JobPosition.Start)).Verdict);
        return (assignment, partition, batchNorm, coordinator);
    }
}
