using ConvNet.Engine.Optimizers;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>The promise of equal bits, checked on the protocol alone: whatever the layout and whatever goes wrong on the way.</summary>
public class SimulationTests
{
    /// <summary>"17", or "1-100000"; a single one tells what happens.</summary>
    private const string Variable = "CONVNET_SIMULATION_SEEDS";

    private static readonly ulong Most = FullRun.IsAsked ? 20_000UL : 2_000;

    /// <summary>Those that have found something, the first ones first.</summary>
    private static readonly ulong[] Pinned = [906, 1090, 1521, 1688, 1887, 3775, 30134, 45498];

    [Fact]
    public void Every_layout_and_fault_plan_gives_the_bits_of_one_worker_without_faults()
    {
        (ulong first, ulong last) = Seeds();
        ITestOutputHelper output = TestContext.Current.TestOutputHelper!;
        Action<string>? log = first == last ? output.WriteLine : null;
        var counts = new BranchCounts();
        var failed = new List<string>();
        foreach (ulong seed in (first == last ? [] : Pinned).Concat(Range(first, last)))
        {
            SeededRun run = SeededRun.Of(seed, log);
            counts.Add(run.Counts);
            if (run.Problem is { } problem)
            {
                failed.Add($"{problem}. Watch it: {Variable}={seed} dotnet run --project tests/Grains.Tests -c Release -- -class '*SimulationTests' -showLiveOutput");
            }
        }

        IReadOnlyDictionary<string, int> met = counts.ByName;
        output.WriteLine(string.Join(Environment.NewLine, met.Select(branch => $"{branch.Value,9} {branch.Key}")));
        Assert.True(failed.Count == 0, $"{failed.Count} seeds have failed:{Environment.NewLine}{string.Join(Environment.NewLine, failed.Take(20))}");
        Assert.DoesNotContain(met.Keys, Branches.IsUnknown);
        Assert.Empty(last - first + 1 >= Most ? Branches.Required.Except(met.Keys) : []);
    }

    private static (ulong First, ulong Last) Seeds()
    {
        string[] ends = (Environment.GetEnvironmentVariable(Variable) ?? $"1-{Most}").Split('-');
        return (ulong.Parse(ends[0]), ulong.Parse(ends[^1]));
    }

    private static IEnumerable<ulong> Range(ulong first, ulong last)
    {
        for (ulong seed = first; seed <= last; seed++)
        {
            yield return seed;
        }
    }

    [Fact]
    public void A_stop_and_resume_with_other_partitions_gives_the_same_bits()
    {
        for (int i = 0; i < FakeJobs.All.Length; i++)
        {
            FakeJob job = FakeJobs.All[i];
            var model = new FakeModel(job);
            var first = new SimulatedCluster(
                model, new Layout(3, 2, NetworkFaults.None), FakeState.Initial(model, job.Optimizer), new TrainingPlan { StopAfter = 4 }, 1);
            FakeState middle = first.Run();
            var second = new SimulatedCluster(model, new Layout(2, 3, NetworkFaults.None), middle, new TrainingPlan(), 2);
            FakeState end = second.Run();
            Assert.Equal(4, middle.Position.Step);
            Assert.Equal(FakeJobs.ExpectedOf(i), FakeJobs.Hash(end, [.. first.Outcomes, .. second.Outcomes]));
        }
    }

    [Fact]
    public void One_flipped_bit_in_one_shards_gradient_gives_other_bits()
    {
        Assert.NotEqual(FakeJobs.ExpectedOf(0), FakeReference.Of(FakeJobs.All[0] with { FlippedStep = 4 }).End);
    }

    [Fact]
    public void Another_number_of_shards_gives_other_bits()
    {
        Assert.NotEqual(FakeJobs.ExpectedOf(0), FakeReference.Of(FakeJobs.All[0] with { Shape = FakeJobs.All[0].Shape with { Shards = 5 } }).End);
    }

    [Fact]
    public void Three_non_finite_steps_in_a_row_end_the_job_and_name_the_worker_and_the_tensor()
    {
        FakeJob job = FakeJobs.All[0] with { Optimizer = new Sgd { LearningRate = 1e38 } };
        var model = new FakeModel(job);
        FakeState start = FakeState.Initial(model, job.Optimizer);
        start.Weights[4][0] = float.NaN;
        var cluster = new SimulatedCluster(model, new Layout(2, 2, NetworkFaults.None), start, new TrainingPlan(), 1);

        cluster.Run();

        Assert.Equal([0, 1], cluster.Outcomes.Select(outcome => outcome.Decision.Step));
        Assert.All(cluster.Outcomes, outcome => Assert.True(outcome.Decision.IsSkip));
        Assert.Equal(JobState.Failed, cluster.Machine.State);
        Assert.Contains("step 2", cluster.Machine.Reason);
        Assert.Contains("node-", cluster.Machine.Reason);
        Assert.Contains("2.bias", cluster.Machine.Reason);
    }
}
