using ConvNet.Engine.Data;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>The promise: the final state depends on the job alone, not on how it is spread.</summary>
[Collection(nameof(ClusterCollection))]
public sealed class SameBitsTests(OneSilo one, TwoSilos two)
{
    private const string SmallNet = """
        {"name":"small","input":[1,28,28],"layers":[
          {"type":"conv","out":8,"kernel":3,"stride":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},
          {"type":"residual","main":[{"type":"conv","out":8,"kernel":3,"padding":1},{"type":"batchNorm"}]},
          {"type":"maxPool","size":2,"stride":2},{"type":"dropout","rate":0.25},{"type":"flatten"},{"type":"fullyConnected","out":10}]}
        """;

    /// <summary>
    /// The convolutions that <see cref="SmallNet"/> has too few channels for (both tiles of Winograd's algorithm for 3×3 filters, those for
    /// 5×5 and depthwise), and a normalization that goes with its pooling.
    /// </summary>
    private const string KernelsNet = """
        {"name":"kernels","input":[1,28,28],"layers":[
          {"type":"conv","out":16,"kernel":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":2,"stride":2},
          {"type":"conv","out":16,"kernel":5,"padding":2,"bias":true},{"type":"relu"},{"type":"maxPool","size":2,"stride":2},
          {"type":"conv","out":16,"kernel":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},
          {"type":"conv","out":16,"kernel":3,"stride":2,"groups":16},{"type":"avgPool","size":2,"stride":1},
          {"type":"conv","out":16,"kernel":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},
          {"type":"flatten"},{"type":"fullyConnected","out":10}]}
        """;

    private static readonly (int Workers, int Threads, bool Two)[] Corners = [(1, 1, false), (2, 2, true), (3, 1, false), (4, 1, true)];

    private static readonly (int Workers, int Threads, bool Two)[] All =
        [.. from workers in Enumerable.Range(1, 4) from threads in new[] { 1, 2 } from onTwo in new[] { false, true } select (workers, threads, onTwo)];

    /// <summary>The variants of a job whose sums, state or random numbers are special.</summary>
    public static TheoryData<string> Variants =>
    [
        "dropout-augmentation", "ghost", "cumulative", "adam", "adamw", "lars", "clip", "warmup", "shards-5", "seven", "three", "reference", "kernels",
        "kernels-ghost",
    ];

    [Theory]
    [InlineData(100)]
    [InlineData(7)]
    [InlineData(3)]
    public Task Lenet_ends_in_the_same_state_in_every_layout(int batch) => SameInAsync(All, TestJobs.Job("lenet", batch, steps: 10));

    [Fact]
    public Task An_epoch_with_an_uneven_last_batch_ends_in_the_same_state() => SameInAsync(Corners, TestJobs.Job("lenet", 130, steps: 93));

    [Theory]
    [MemberData(nameof(Variants))]
    public Task Every_kind_of_job_ends_in_the_same_state(string variant) => SameInAsync(Corners, Variant(variant));

    [Fact]
    public Task Resnet20_ends_in_the_same_state() => SameInAsync([(1, 2, false), (3, 1, true)], TestJobs.Job("resnet20", 20, steps: 2));

    /// <summary>A change that moves one of these moves every user's results: it must raise the numerics version.</summary>
    [Theory]
    [InlineData("lenet", "98c48bdbdc4c1154ae4ffc1459517883283f7e89b83509d92e9ef218f567a078")]
    [InlineData("small", "7be079e40bd735c437de909450b25924a9555c34177ff7b97d01db0f0d52bd56")]
    [InlineData("kernels", "b755d99875548b10fb9a1e6e71973805d794216ac00e4b5ae6f18d0fd64ac33b")]
    [InlineData("resnet20", "d7f7f5b87222f1a5c7370fcb5b467c1f2944045d378059859dc532db92676889")]
    public async Task Small_jobs_end_in_the_committed_state(string name, string hash)
    {
        JobSpec job = name switch
        {
            "lenet" => TestJobs.Job("lenet", batch: 100, steps: 10),
            "small" => Variant("cumulative"),
            "kernels" => Variant("kernels"),
            _ => TestJobs.Job("resnet20", batch: 20, steps: 2),
        };
        Assert.Equal(2, job.NumericsVersion);
        string actual = await TestJobs.HashAsync(two.Grains, job, workers: 3);
        Assert.True(hash == actual, $"the state of {name} is now {actual}");
    }

    [Fact]
    public async Task Local_training_ends_in_the_weights_of_the_job()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 100, steps: 4) with { Schedule = new ConstantSchedule() };
        (CheckpointResult end, _) = await TestJobs.RunAsync(two.Grains, job, workers: 3);
        Assert.Equal(end.WeightsSha256, TestJobs.TrainLocally(job));
    }

    [Fact]
    public async Task A_run_that_is_stopped_in_mid_epoch_and_goes_on_elsewhere_ends_in_the_same_state()
    {
        JobSpec job = Variant("cumulative") with { Batch = 130, TotalSteps = 100 };
        string whole = await TestJobs.HashAsync(one.Grains, job, workers: 2);
        (CheckpointResult half, _) = await TestJobs.RunAsync(two.Grains, job, workers: 2, until: 17);
        (CheckpointResult end, JobStatus status) = await TestJobs.RunAsync(one.Grains, job, workers: 3, from: half.Path, partitions: 3);
        Assert.Equal(17, half.Step);
        Assert.Equal(100, status.Step);
        Assert.Equal(whole, end.StateSha256);
    }

    [Fact]
    public async Task The_mean_loss_of_an_epoch_includes_the_part_before_a_resume()
    {
        JobSpec job = TestJobs.Job("lenet", 100, steps: 12);
        (_, JobStatus whole) = await TestJobs.RunAsync(one.Grains, job, workers: 2);
        (CheckpointResult half, _) = await TestJobs.RunAsync(one.Grains, job, workers: 1, until: 5);
        (_, JobStatus resumed) = await TestJobs.RunAsync(one.Grains, job, workers: 4, from: half.Path);
        Assert.Equal(whole.TrainLoss, resumed.TrainLoss);
    }

    [Fact]
    public async Task Evaluation_counts_every_test_sample_once_with_any_number_of_workers()
    {
        var seen = new HashSet<EvaluationResult>();
        foreach (int workers in new[] { 1, 3 })
        {
            seen.Add((await EvaluateInBetweenAsync(two.Grains, Variant("ghost"), workers, step: 5)).Evaluation!);
        }

        EvaluationResult result = Assert.Single(seen);
        Assert.Equal(2000, result.Samples);
    }

    [Fact]
    public async Task An_evaluation_in_between_leaves_the_state_as_it_is()
    {
        JobSpec job = Variant("cumulative");
        JobStatus status = await EvaluateInBetweenAsync(one.Grains, job, workers: 2, step: 4);
        Assert.Equal(4, status.Evaluation!.Step);
        string hash = status.Checkpoint!.StateSha256;
        Assert.Equal(await TestJobs.HashAsync(one.Grains, job, workers: 1), hash);
    }

    [Fact]
    public async Task Another_seed_rate_or_shard_count_ends_in_another_state()
    {
        JobSpec job = Variant("seven");
        string hash = await TestJobs.HashAsync(one.Grains, job, 2);
        Assert.NotEqual(hash, await TestJobs.HashAsync(one.Grains, job with { Seed = 2 }, 2));
        Assert.NotEqual(hash, await TestJobs.HashAsync(one.Grains, job with { Optimizer = new Sgd { LearningRate = 0.011 } }, 2));
        Assert.NotEqual(hash, await TestJobs.HashAsync(one.Grains, job with { DataShards = 2 }, 2));
    }

    [Fact]
    public async Task All_workers_work()
    {
        (_, JobStatus status) = await TestJobs.RunAsync(two.Grains, TestJobs.Job("lenet", 100, steps: 4), workers: 4);
        Assert.Equal([100L, 100L, 100L, 100L], ((RunEvent.Stopped)status.Events[^1].Event).Summary.SamplesPerWorker.Select(worker => worker.Value));
    }

    /// <summary>A job that evaluates once on its way to its last step, where it stops.</summary>
    private static async Task<JobStatus> EvaluateInBetweenAsync(IGrainFactory grains, JobSpec job, int workers, long step)
    {
        IJobGrain grain = grains.GetGrain<IJobGrain>($"evaluate-{Guid.NewGuid():N}");
        JobSubmission submission = TestJobs.Submission(job, Directory.CreateTempSubdirectory("convnet-test-").FullName, workers);
        await grain.SubmitAsync(submission with { Plan = submission.Plan with { EvaluateEvery = step } });
        return await TestJobs.EndAsync(grain);
    }

    private static JobSpec Variant(string name)
    {
        JobSpec small = TestJobs.Job(ModelFile.Parse(SmallNet), batch: 40, steps: 8);
        JobSpec kernels = TestJobs.Job(ModelFile.Parse(KernelsNet), batch: 20, steps: 4);
        return name switch
        {
            "dropout-augmentation" => small with { Augmentation = new Augmentation(2, true) },
            "ghost" => small with { BatchNormMode = BatchNormMode.Shard },
            "cumulative" => small with { RunningAverage = RunningAverage.Cumulative },
            "adam" => small with { Optimizer = new Adam { LearningRate = 1e-3, WeightDecay = 1e-4 } },
            "adamw" => small with { Optimizer = new AdamW { LearningRate = 1e-3, WeightDecay = 1e-2 } },
            "lars" => small with { Optimizer = new Lars { LearningRate = 1, WeightDecay = 5e-4 } },
            "clip" => small with { ClipNorm = 0.5 },
            "warmup" => small with { Schedule = new CosineSchedule { WarmUpSteps = 3 } },
            "shards-5" => small with { DataShards = 5 },
            "seven" => small with { Batch = 7 },
            "three" => small with { Batch = 3 },
            "reference" => small with { Kernels = KernelSet.Reference },
            "kernels" => kernels,
            "kernels-ghost" => kernels with { BatchNormMode = BatchNormMode.Shard },
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such variant"),
        };
    }

    private async Task SameInAsync((int Workers, int Threads, bool Two)[] layouts, JobSpec job)
    {
        var hashes = new List<string>();
        foreach ((int workers, int threads, bool onTwo) in layouts)
        {
            hashes.Add(await TestJobs.HashAsync((onTwo ? (ClusterFixture)two : one).Grains, job, workers, threads));
        }

        Assert.Single(hashes.Distinct());
    }
}
