using System.Runtime.InteropServices;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Data;
using ConvNet.Grains.Tests.Cluster;
using ConvNet.Grains.Workers;
using Xunit;

namespace ConvNet.Grains.Tests.Workers;

/// <summary>Samples that are prepared beside the step before are those that are read when their step begins.</summary>
public sealed class StepBatchesTests
{
    /// <summary>Six steps to an epoch of 12,000 samples, the last of which has 500.</summary>
    private const int Batch = 2300, Steps = 9;

    private static readonly ShardRange Shards = new(1, 3);

    private static readonly JobSpec Job = TestJobs.Job(
        ModelFile.Parse("""{"name":"n","input":[1,28,28],"layers":[{"type":"flatten"},{"type":"fullyConnected","out":10}]}"""), Batch, Steps);

    [Fact]
    public async Task Every_step_of_two_epochs_has_its_samples_in_whatever_slices_it_is_trained()
    {
        List<string> read = await TrainAsync(preparesAhead: false, [(0, Steps)]);
        List<string> prepared = await TrainAsync(preparesAhead: true, [(0, 3), (3, Steps)]);

        Assert.Equal(Steps, read.Distinct().Count());
        Assert.Equal(read, prepared);
    }

    [Fact]
    public async Task A_generation_that_ends_while_samples_are_prepared_leaves_nothing_to_the_next()
    {
        List<string> read = await TrainAsync(preparesAhead: false, [(0, 5)]);
        var device = new SeenDevice(preparesAhead: true);
        var progress = new WorkerProgress();
        using var worker = new WorkerDevice("a/0", device, 1, Job, DataCatalog.Open(Job.Data.NameOrPath), progress);
        var servers = new FakeServers(worker.Runner.Model);
        Func<MessageHeader, int, Task<BlockAnswer>> serve = servers.Partition.OnPull;
        servers.Partition.OnPull = (header, chunk) =>
            header is { Generation: 1, Step: 2 } ? new TaskCompletionSource<BlockAnswer>().Task : serve(header, chunk);
        (WorkerSession first, EngineWaits waits) = servers.Begin(worker, 1, 0, Shards);
        first.Train(0, 5);
        await Patience.Until(() => progress.StatusOf("a/0", default, 1) is { Step: 2, Phase: WorkerPhase.WaitingForParameters });
        waits.End();
        servers.Begin(worker, 2, 1, Shards).Session.Train(1, 5);
        await Patience.Until(() => progress.StatusOf("a/0", default, 1) is { Step: 5, Phase: WorkerPhase.Idle });

        Assert.Equal([.. read.Take(2), .. read.Skip(1)], device.Seen);
        Assert.Empty(servers.Job.Failures);
    }

    /// <summary>Trains slices of steps, one order after the other.</summary>
    private static async Task<List<string>> TrainAsync(bool preparesAhead, (long First, long End)[] slices)
    {
        var device = new SeenDevice(preparesAhead);
        var progress = new WorkerProgress();
        using var worker = new WorkerDevice("a/0", device, 1, Job, DataCatalog.Open(Job.Data.NameOrPath), progress);
        WorkerSession session = new FakeServers(worker.Runner.Model).Begin(worker, 1, slices[0].First, Shards).Session;
        foreach ((long first, long end) in slices)
        {
            session.Train(first, end);
        }

        await Patience.Until(() => progress.StatusOf("a/0", default, 1) is { Phase: WorkerPhase.Idle } status && status.Step == slices[^1].End);
        return device.Seen;
    }

    /// <summary>Computes nothing, and remembers what it was given.</summary>
    private sealed class SeenDevice(bool preparesAhead) : ComputeDevice
    {
        public List<string> Seen { get; } = [];

        public override string Name => "seen";

        public override ModelRunner CreateRunner(Model model, ThreadTeam team, KernelSet kernels = KernelSet.Fast) =>
            new SeenRunner(model, team, preparesAhead, Seen);

        public override void Dispose()
        {
        }
    }

    private sealed class SeenRunner(Model model, ThreadTeam team, bool preparesAhead, List<string> seen) : ModelRunner(model, team)
    {
        public override bool PreparesAhead => preparesAhead;

        public override Metrics[] TrainStep(ShardPlan plan, StepExchange exchange, long step, ulong seed, int[] labels, int[] sampleIndices)
        {
            exchange.Pull(Model.Parameters[0]);
            var bits = new HashCode();
            for (int n = 0; n < plan.Samples; n++)
            {
                bits.AddBytes(MemoryMarshal.AsBytes(Input(plan.Samples).SampleSpan(n)));
            }

            seen.Add($"{step}: {plan.Samples} samples {string.Join(' ', sampleIndices)} of {string.Join(' ', labels)}, {bits.ToHashCode()}");
            return [];
        }

        public override void PrepareEvaluation(IReadOnlyList<BatchNormState> statistics) => throw new NotSupportedException();

        public override Activation Predict(int samples) => throw new NotSupportedException();

        public override Metrics Evaluate(int samples, int[] labels) => throw new NotSupportedException();
    }
}
