using ConvNet.Engine.Data;
using ConvNet.Engine.Formats;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>Small jobs on the embedded images, and how to run one to its end.</summary>
internal static class TestJobs
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private static readonly Lazy<Dataset> Data = new(() => DataCatalog.Open(DatasetFiles.DefaultName));

    public static JobSpec Job(string model, int batch, long steps) => Job(ModelFile.Load(model), batch, steps);

    public static JobSpec Job(ModelSpec spec, int batch, long steps)
    {
        Dataset data = Data.Value;
        return new JobSpec
        {
            Model = spec,
            Data = new DataReference(DatasetFiles.DefaultName, null, data.Sha256),
            Adapter = InputAdapter.For(data, spec.Input),
            TrainSamples = data.Train.Count,
            TestSamples = data.Test.Count,
            Optimizer = new Sgd { LearningRate = 0.01, Momentum = 0.9, Nesterov = true, WeightDecay = 5e-4 },
            Schedule = new CosineSchedule(),
            Batch = batch,
            DataShards = 4,
            Seed = 1,
            TotalSteps = steps,
        };
    }

    /// <summary>Runs a job until a step, from the start or from a checkpoint, and returns its checkpoint there.</summary>
    public static async Task<(CheckpointResult Checkpoint, JobStatus Status)> RunAsync(
        IGrainFactory grains, JobSpec job, int workers, int threads = 1, long? until = null, string? from = null, int partitions = 0)
    {
        IJobGrain grain = grains.GetGrain<IJobGrain>($"test-{Guid.NewGuid():N}");
        string folder = Directory.CreateTempSubdirectory("convnet-test-").FullName;
        await grain.SubmitAsync(Submission(job, folder, workers, threads, until, from, partitions));
        JobStatus status = await EndAsync(grain);
        return (status.Checkpoint!, status);
    }

    /// <summary>A job that trains to a step, saves there and stops.</summary>
    public static JobSubmission Submission(
        JobSpec job, string folder, int workers, int threads = 1, long? until = null, string? from = null, int partitions = 0) =>
        new(
            Guid.NewGuid().ToString("N"),
            job.ToJson(),
            new JobLayout(workers, threads, partitions),
            new TrainingPlan { StopAfter = until ?? job.TotalSteps },
            folder,
            from);

    public static async Task<string> HashAsync(IGrainFactory grains, JobSpec job, int workers, int threads = 1) =>
        (await RunAsync(grains, job, workers, threads)).Checkpoint.StateSha256;

    /// <summary>The weightsSha256 of the job's steps without a cluster.</summary>
    public static string TrainLocally(JobSpec job)
    {
        using var team = new ThreadTeam(2);
        using var network = new Network(new Model(job.Model, job.BatchNormMode), team, job.Kernels);
        var training = new LocalTraining(network, job.Optimizer, job.Seed, job.DataShards, job.Initialization, job.RunningAverage);
        var batches = new BatchPlan(job.Seed, job.Shape);
        var filler = new BatchFiller(Data.Value.Train, job.Adapter, job.Augmentation);
        for (long step = 0; step < job.TotalSteps; step++)
        {
            int[] samples = [.. batches.Samples(step)];
            int[] labels = new int[samples.Length];
            filler.Fill(job.Seed, job.Shape.EpochOf(step), samples, network.Input(samples.Length), labels);
            training.Step(labels, samples);
        }

        IEnumerable<NamedTensor> weights = network.Model.Parameters.Select(
            parameter => new NamedTensor(parameter.Name, parameter.Shape, training.Exchange.Values(parameter).ToArray()));
        return StateHash.Weights(weights, training.Steps);
    }

    /// <summary>Waits until the job has ended as planned.</summary>
    public static async Task<JobStatus> EndAsync(IJobGrain job)
    {
        JobStatus status = await UntilAsync(job, status => status.HasEnded);
        return status.Failure is { } failure
            ? throw new InvalidOperationException($"the job failed with {failure.ExitCode}: {failure.Message}")
            : status;
    }

    public static async Task<JobFailure> FailureAsync(IJobGrain job, string? client = null) =>
        (await UntilAsync(job, status => status.Failure is not null, new StatusQuery(Client: client))).Failure!;

    public static async Task<JobStatus> UntilAsync(IJobGrain job, Func<JobStatus, bool> isThere, StatusQuery? query = null)
    {
        long end = Environment.TickCount64 + (long)Deadline.TotalMilliseconds;
        while (true)
        {
            JobStatus status = await job.StatusAsync(query ?? new StatusQuery(SinceEvent: 0));
            if (isThere(status))
            {
                return status;
            }

            if (Environment.TickCount64 > end)
            {
                throw new TimeoutException($"the job is still {status.State} at step {status.Step} after {Deadline.TotalSeconds} s");
            }

            await Task.Delay(20);
        }
    }
}
