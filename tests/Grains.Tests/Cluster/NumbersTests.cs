using ConvNet.Engine.Errors;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>Values that are not finite, by arithmetic or by a faulty machine.</summary>
public sealed class NumbersTests(FaultySilo silo) : IClassFixture<FaultySilo>
{
    private const string Net = """
        {"name":"small","input":[1,28,28],"layers":[
          {"type":"conv","out":8,"kernel":3,"stride":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},
          {"type":"flatten"},{"type":"fullyConnected","out":10}]}
        """;

    private static readonly JobSpec Job = TestJobs.Job(ModelFile.Parse(Net), batch: 20, steps: 8);

    [Fact]
    public async Task A_job_with_skipped_steps_ends_in_the_same_state_in_every_layout()
    {
        // The gradient of data shard 1 is not finite in two steps, whoever computes it: arithmetic, not a machine.
        silo.Spoil = (_, root, gradient) => gradient[0] =
            root is { Header.Step: 2 or 5, Chunk: 0 } && root.Node is { FirstShard: <= 1, EndShard: > 1 } ? float.NaN : gradient[0];
        var hashes = new List<string>();
        foreach (int workers in new[] { 1, 3 })
        {
            (CheckpointResult end, JobStatus status) = await TestJobs.RunAsync(silo.Grains, Job, workers);
            hashes.Add(end.StateSha256);
            string[] warnings = Warnings(status);
            Assert.Equal(2, warnings.Count(warning => warning.Contains("once more", StringComparison.Ordinal)));
            Assert.Contains(warnings, warning => warning.StartsWith("step 2 is skipped", StringComparison.Ordinal)
                && warning.Contains("(gradient of ", StringComparison.Ordinal)
                && warning.Contains(" from worker ", StringComparison.Ordinal)
                && warning.Contains("of the batch)", StringComparison.Ordinal));
            Assert.Equal((8, 3), (status.Step, status.Generation));
        }

        Assert.Single(hashes.Distinct());
        silo.Spoil = (_, _, _) => { };
        Assert.NotEqual(hashes[0], await TestJobs.HashAsync(silo.Grains, Job, workers: 2));
    }

    [Theory]
    [InlineData(NonFinitePolicy.Skip, "3 steps in a row had values that are not finite; the last was step")]
    [InlineData(NonFinitePolicy.Stop, "step 1 has a value that is not finite: ")]
    public async Task A_learning_rate_that_is_far_too_high_ends_the_job_with_the_layer_and_an_advice(NonFinitePolicy policy, string start)
    {
        JobSpec job = Job with { Optimizer = new Sgd { LearningRate = 1e30 }, Schedule = new ConstantSchedule(), NonFinite = policy };
        IJobGrain grain = silo.Grains.GetGrain<IJobGrain>($"diverges-{policy}");
        await grain.SubmitAsync(TestJobs.Submission(job, Directory.CreateTempSubdirectory("convnet-test-").FullName, workers: 3));

        JobFailure failure = await TestJobs.FailureAsync(grain);

        Assert.Equal((int)ExitCode.TrainingFailed, failure.ExitCode);
        Assert.StartsWith(start, failure.Message);
        Assert.Contains("(batch-norm moments) from worker ", failure.Message);
        Assert.Contains("--learning-rate", failure.Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_faulty_machine_is_named_and_taken_out_and_the_state_is_that_of_a_job_without_it(bool always)
    {
        string expected = await TestJobs.HashAsync(silo.Grains, Job, workers: 1);
        string faulty = PinnedKey.Worker(silo.SiloNames[0], 1);
        bool isDone = false;
        silo.Spoil = (worker, root, gradient) =>
        {
            if (worker == faulty && root is { Header.Step: 3, Chunk: 0 } && (always || !isDone))
            {
                isDone = true;
                gradient[0] = float.PositiveInfinity;
            }
        };

        (CheckpointResult end, JobStatus status) = await TestJobs.RunAsync(silo.Grains, Job, workers: 3);

        silo.Spoil = (_, _, _) => { };
        Assert.Equal(expected, end.StateSha256);
        Assert.Contains(Warnings(status), warning => warning.StartsWith($"worker {faulty} has computed layer", StringComparison.Ordinal));
        Assert.DoesNotContain(status.Workers, worker => worker.Name == faulty);
    }

    [Fact]
    public async Task A_worker_that_sends_other_bytes_under_the_same_key_is_taken_out()
    {
        string expected = await TestJobs.HashAsync(silo.Grains, Job, workers: 1);
        string faulty = PinnedKey.Worker(silo.SiloNames[0], 2);
        silo.SendsTwice = (worker, root) => worker == faulty && root is { Header.Step: 4, Chunk: 0 };

        (CheckpointResult end, JobStatus status) = await TestJobs.RunAsync(silo.Grains, Job, workers: 3);

        silo.SendsTwice = (_, _) => false;
        Assert.Equal(expected, end.StateSha256);
        Assert.Contains(Warnings(status), warning => warning.StartsWith($"worker {faulty} contradicts itself", StringComparison.Ordinal));
        Assert.DoesNotContain(status.Workers, worker => worker.Name == faulty);
    }

    private static string[] Warnings(JobStatus status) =>
        [.. status.Events.Select(happened => happened.Event).OfType<RunEvent.Warning>().Select(warning => warning.Message)];
}
