using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Machines that compute wrongly must not change a bit of the result.</summary>
public class FaultyMachineTests
{
    /// <summary>A job in which step 3 is skipped in every layout.</summary>
    private const int Job = 1;

    [Theory]
    [InlineData(Fault.NonFiniteGradient, true)]
    [InlineData(Fault.NonFiniteGradient, false)]
    [InlineData(Fault.NonFiniteMoments, true)]
    [InlineData(Fault.NonFiniteMoments, false)]
    internal void A_machine_that_makes_values_that_are_not_finite_is_named_and_taken_out(object fault, bool always)
    {
        bool isDone = false;
        SimulatedCluster cluster = Create(workers: 3, Job, (name, step, _) =>
        {
            bool fails = name == "node-1/0" && step >= 2 && (always || !isDone);
            isDone |= fails;
            return fails ? (Fault)fault : Fault.None;
        });

        RunToTheSameBits(cluster, Job);

        Assert.Equal(["node-1/0"], cluster.Machine.Expelled);
        Assert.Contains(Warnings(cluster), warning => warning.Contains("step 2 has a value that is not finite: layer", StringComparison.Ordinal)
            && warning.Contains("from worker node-1/0, data shard", StringComparison.Ordinal));
        Assert.Contains(Warnings(cluster), warning => warning.StartsWith("worker node-1/0 has computed layer", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_third_worker_decides_who_of_two_has_computed_other_bits(int wrongRun)
    {
        SimulatedCluster cluster = Create(workers: 3, Job, (name, step, run) =>
            name == "node-2/0" && step == 3 && run == wrongRun ? Fault.OtherBits : Fault.None);

        RunToTheSameBits(cluster, Job);

        Assert.Equal(["node-2/0"], cluster.Machine.Expelled);
        Assert.Contains(Warnings(cluster), warning => warning.Contains("do not get the same bits", StringComparison.Ordinal));
    }

    [Fact]
    public void Two_workers_with_different_bits_are_both_named_when_there_is_no_third()
    {
        SimulatedCluster cluster = Create(workers: 2, Job, (name, step, run) =>
            name == "node-1/0" && step == 3 && run == 0 ? Fault.OtherBits : Fault.None);

        cluster.Run();

        Assert.Empty(cluster.Complaints);
        Assert.Equal((int)ExitCode.TrainingFailed, cluster.Machine.Failure!.ExitCode);
        Assert.StartsWith("workers node-1/0, node-0/0 do not get the same bits in layer", cluster.Machine.Failure.Message);
        Assert.Contains("0.weight), data shards 2 to 3 (samples 1 to 2 of the batch) of step 3, and there is no other", cluster.Machine.Failure.Message);
    }

    [Fact]
    public void The_only_worker_that_contradicts_itself_is_replaced_by_another()
    {
        bool isDone = false;
        SimulatedCluster cluster = Create(workers: 1, Job, (_, step, _) =>
        {
            bool fails = step == 1 && !isDone;
            isDone |= fails;
            return fails ? Fault.NonFiniteGradient : Fault.None;
        });

        RunToTheSameBits(cluster, Job);

        Assert.Equal(["node-0/0"], cluster.Machine.Expelled);
    }

    [Fact]
    public void What_a_lost_worker_left_of_a_step_is_compared_with_what_the_others_make_of_it()
    {
        SimulatedCluster cluster = Create(workers: 4, index: 0, (name, step, run) =>
            name == "node-0/0" && step == 3 && run == 0 ? Fault.OtherBits : Fault.None);
        cluster.Script.When<SimulatedEvent.Pushed>(push => push is { Worker: 3, Step: 3 }).Then(() => cluster.Kill(3));

        RunToTheSameBits(cluster, 0);

        Assert.Equal(["node-0/0"], cluster.Machine.Expelled);
    }

    private static string[] Warnings(SimulatedCluster cluster) => [.. cluster.EventsOf<RunEvent.Warning>().Select(warning => warning.Message)];

    /// <param name="faults">By name of the worker, step, and how often the step has run before.</param>
    private static SimulatedCluster Create(int workers, int index, Func<string, long, int, Fault> faults)
    {
        var model = new FakeModel(FakeJobs.All[index]);
        var runs = new Dictionary<long, List<long>>();
        var layout = new Layout(workers, 2, new NetworkFaults(0, 0, 3));
        return new SimulatedCluster(
            model, layout, FakeState.Initial(model, model.Job.Optimizer), new TrainingPlan(), seed: 1, FakeJobs.ReferenceOf(index))
        {
            Faults = (assignment, worker, step) =>
            {
                List<long> generations = runs.TryGetValue(step, out List<long>? known) ? known : runs[step] = [];
                if (!generations.Contains(assignment.Generation))
                {
                    generations.Add(assignment.Generation);
                }

                return faults(assignment.Workers[worker].Name, step, generations.IndexOf(assignment.Generation));
            },
        };
    }

    private static void RunToTheSameBits(SimulatedCluster cluster, int index)
    {
        FakeState end = cluster.Run();
        Assert.Empty(cluster.Complaints);
        Assert.Equal(JobState.Stopped, cluster.Machine.State);
        Assert.Equal(FakeJobs.ExpectedOf(index), FakeJobs.Hash(end, cluster.Outcomes));
    }
}
