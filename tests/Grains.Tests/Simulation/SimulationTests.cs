using ConvNet.Engine.Optimizers;
using Xunit;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>The promise of equal bits, checked on the protocol alone: whatever the layout and whatever goes wrong on the way.</summary>
public class SimulationTests
{
    private const int Seeds = 200;

    [Fact]
    public void Every_layout_and_fault_plan_gives_the_bits_of_one_worker_without_faults()
    {
        int generations = 0;
        int quarantined = 0;
        int resends = 0;
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            FakeJob job = FakeJobs.All[seed % (ulong)FakeJobs.All.Length];
            Layout layout = LayoutOf(seed, job);
            var model = new FakeModel(job);
            var cluster = new SimulatedCluster(model, layout, FakeState.Initial(model, job.Optimizer), job.Shape.TotalSteps, seed);
            FakeState end = cluster.Run();
            string story = $"seed {seed}, {layout}: {string.Join("; ", cluster.Complaints)}";
            Assert.True(cluster.Complaints.Count == 0, story);
            Assert.True(cluster.Outcomes.Select(outcome => outcome.Decision.Step).SequenceEqual(Enumerable.Range(0, (int)job.Shape.TotalSteps).Select(step => (long)step)), story);
            Assert.True(FakeJobs.Hash(end, cluster.Outcomes) == FakeJobs.ExpectedOf((int)(seed % (ulong)FakeJobs.All.Length)), $"other bits with {story}");
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
        for (int i = 0; i < FakeJobs.All.Length; i++)
        {
            FakeJob job = FakeJobs.All[i];
            var model = new FakeModel(job);
            var first = new SimulatedCluster(model, new Layout(3, 2, NetworkFaults.None), FakeState.Initial(model, job.Optimizer), 4, 1);
            FakeState middle = first.Run();
            var second = new SimulatedCluster(model, new Layout(2, 3, NetworkFaults.None), middle, job.Shape.TotalSteps, 2);
            FakeState end = second.Run();
            Assert.Equal(FakeJobs.ExpectedOf(i), FakeJobs.Hash(end, [.. first.Outcomes, .. second.Outcomes]));
        }
    }

    [Fact]
    public void One_flipped_bit_in_one_shards_gradient_gives_other_bits()
    {
        Assert.NotEqual(FakeJobs.ExpectedOf(0), FakeJobs.RunSimply(FakeJobs.All[0] with { FlippedStep = 4 }));
    }

    [Fact]
    public void Another_number_of_shards_gives_other_bits()
    {
        Assert.NotEqual(FakeJobs.ExpectedOf(0), FakeJobs.RunSimply(FakeJobs.All[0] with { Shape = FakeJobs.All[0].Shape with { Shards = 5 } }));
    }

    [Fact]
    public void Three_non_finite_steps_in_a_row_end_the_job_and_name_the_worker_and_the_tensor()
    {
        FakeJob job = FakeJobs.All[0] with { Optimizer = new Sgd { LearningRate = 1e38 } };
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
}
