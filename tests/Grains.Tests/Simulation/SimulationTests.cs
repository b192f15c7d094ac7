using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;
using Xunit;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>The promise of equal bits, checked on the protocol alone: whatever the layout and whatever goes wrong on the way.</summary>
public class SimulationTests
{
    private const int Seeds = 200;

    /// <summary>Jobs that differ in all that the protocol treats differently; the second has an empty shard in every step.</summary>
    private static readonly FakeJob[] Jobs =
    [
        new(new JobShape(23, 10, 4, 7), new Sgd { Momentum = 0.9, Nesterov = true, WeightDecay = 5e-4 }, new CosineSchedule(), null, BatchNormMode.Sync, RunningAverage.Exponential),
        new(new JobShape(8, 3, 4, 6), new Adam { LearningRate = 0.1 }, new ConstantSchedule { WarmUpSteps = 3 }, 0.5, BatchNormMode.Sync, RunningAverage.Cumulative, NonFiniteStep: 3),
        new(new JobShape(26, 13, 5, 5), new Lars { WeightDecay = 1e-3 }, new CosineSchedule(), 2, BatchNormMode.Shard, RunningAverage.Exponential),
        new(new JobShape(23, 10, 4, 5, DropLast: true), new Sgd { Momentum = 0.9 }, new CosineSchedule(), null, BatchNormMode.Sync, RunningAverage.Exponential),
        new(new JobShape(21, 10, 7, 6), new Sgd(), new StepSchedule { EverySteps = 2 }, null, BatchNormMode.Sync, RunningAverage.Exponential, NonFiniteStep: 1),
    ];

    private static readonly Lazy<string[]> Expected = new(() => [.. Jobs.Select(RunSimply)]);

    [Fact]
    public void Every_layout_and_fault_plan_gives_the_bits_of_one_worker_without_faults()
    {
        int generations = 0;
        int quarantined = 0;
        int resends = 0;
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            FakeJob job = Jobs[seed % (ulong)Jobs.Length];
            Layout layout = LayoutOf(seed, job);
            var model = new FakeModel(job);
            var cluster = new SimulatedCluster(model, layout, FakeState.Initial(model, job.Optimizer), job.Shape.TotalSteps, seed);
            FakeState end = cluster.Run();
            string story = $"seed {seed}, {layout}: {string.Join("; ", cluster.Complaints)}";
            Assert.True(cluster.Complaints.Count == 0, story);
            Assert.True(cluster.Outcomes.Select(outcome => outcome.Decision.Step).SequenceEqual(Enumerable.Range(0, (int)job.Shape.TotalSteps).Select(step => (long)step)), story);
            Assert.True(Hash(end, cluster.Outcomes) == Expected.Value[seed % (ulong)Jobs.Length], $"other bits with {story}");
            generations += (int)cluster.Generation - 1;
            quarantined += cluster.Quarantined.Count;
            resends += cluster.Resends;
        }

        Assert.True(generations > Seeds / 4, $"only {generations} changes of generation were simulated");
        Assert.True(resends > Seeds / 40, $"only {resends} decisions were told again");
        Assert.True(quarantined > Seeds / 20, $"only {quarantined} conflicts were found");
    }

    [Fact]
    public void A_stop_and_resume_with_other_partitions_gives_the_same_bits()
    {
        for (int i = 0; i < Jobs.Length; i++)
        {
            FakeJob job = Jobs[i];
            var model = new FakeModel(job);
            var first = new SimulatedCluster(model, new Layout(3, 2, NetworkFaults.None), FakeState.Initial(model, job.Optimizer), 4, 1);
            FakeState middle = first.Run();
            var second = new SimulatedCluster(model, new Layout(2, 3, NetworkFaults.None), middle, job.Shape.TotalSteps, 2);
            FakeState end = second.Run();
            Assert.Equal(Expected.Value[i], Hash(end, [.. first.Outcomes, .. second.Outcomes]));
        }
    }

    [Fact]
    public void One_flipped_bit_in_one_shards_gradient_gives_other_bits()
    {
        Assert.NotEqual(Expected.Value[0], RunSimply(Jobs[0] with { FlippedStep = 4 }));
    }

    [Fact]
    public void Another_number_of_shards_gives_other_bits()
    {
        Assert.NotEqual(Expected.Value[0], RunSimply(Jobs[0] with { Shape = Jobs[0].Shape with { Shards = 5 } }));
    }

    [Fact]
    public void Three_non_finite_steps_in_a_row_end_the_job_and_name_the_worker_and_the_tensor()
    {
        FakeJob job = Jobs[0] with { Optimizer = new Sgd { LearningRate = 1e38 } };
        var model = new FakeModel(job);
        FakeState start = FakeState.Initial(model, job.Optimizer);
        start.Weights[4][0] = float.NaN;
        var cluster = new SimulatedCluster(model, new Layout(2, 2, NetworkFaults.None), start, job.Shape.TotalSteps, 1);

        cluster.Run();

        Assert.Equal([0, 1], cluster.Outcomes.Select(outcome => outcome.Decision.Step));
        Assert.All(cluster.Outcomes, outcome => Assert.True(outcome.Decision.IsSkip));
        Assert.Contains("step 2", cluster.Failure);
        Assert.Contains("node-", cluster.Failure);
        Assert.Contains("2.bias", cluster.Failure);
    }

    private static Layout LayoutOf(ulong seed, FakeJob job)
    {
        var random = new SplitMix(seed * 7919);
        var faults = new NetworkFaults(random.Below(200), random.Below(300), 1 + random.Below(40));
        return new Layout(
            1 + random.Below(job.Shape.Shards), 1 + random.Below(5), faults, random.Below(4), random.Below(3), random.Below(2));
    }

    private static string RunSimply(FakeJob job)
    {
        var model = new FakeModel(job);
        var cluster = new SimulatedCluster(
            model, new Layout(1, 1, NetworkFaults.None), FakeState.Initial(model, job.Optimizer), job.Shape.TotalSteps, 0);
        return Hash(cluster.Run(), cluster.Outcomes);
    }

    private static string Hash(FakeState state, IEnumerable<StepOutcome> outcomes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (float[] tensor in state.Weights.Concat(state.Slots.SelectMany(slot => slot)))
        {
            hash.AppendData(MemoryMarshal.AsBytes<float>(tensor));
        }

        foreach (BatchNormState norm in state.Statistics)
        {
            hash.AppendData(MemoryMarshal.AsBytes<float>(norm.RunningMean));
            hash.AppendData(MemoryMarshal.AsBytes<float>(norm.RunningVar));
        }

        foreach (StepOutcome outcome in outcomes)
        {
            hash.AppendData(MemoryMarshal.AsBytes<double>([outcome.Batch.LossSum, outcome.Batch.Correct, outcome.LearningRate, outcome.GradientNorm]));
        }

        JobPosition end = state.Position;
        hash.AppendData(MemoryMarshal.AsBytes<double>([end.Epoch.Sums.LossSum, end.Epoch.Sums.Correct, end.Epoch.Sums.Count, end.Updates, end.Step]));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
