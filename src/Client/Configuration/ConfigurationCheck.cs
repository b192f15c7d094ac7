using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;
using ConvNet.Silo.Configuration;

namespace ConvNet.Client.Configuration;

/// <summary>Refuses values that parse but cannot be meant.</summary>
public static class ConfigurationCheck
{
    private const long MaxSteps = 1L << 40;

    /// <summary>All problems, one sentence each that begins with the path of a setting.</summary>
    public static IReadOnlyList<string> Problems(TrainConfiguration configuration)
    {
        var problems = new List<string>();
        CheckTraining(configuration.Train, problems);
        CheckOptimizer(configuration.Optimizer, problems);
        CheckSchedule(configuration.Schedule, problems);
        InRange("augmentation.padCrop", configuration.Augmentation.PadCrop, 0, 64, problems);
        CheckCheckpoint(configuration.Checkpoint, problems);
        CheckLayout(configuration, problems);
        CheckData(configuration.Data, problems);
        return problems;
    }

    private static void CheckData(DataSection data, List<string> problems)
    {
        if (data.Size is { } size && ImageSize.TryParse(size) is null)
        {
            problems.Add(ImageSize.Problem(size));
        }

        if (data.Channels is { } channels and not (1 or 3))
        {
            problems.Add($"data.channels must be 1 (grey) or 3 (colour); got {WholeText.Show(channels)}.");
        }

        if (data.TestShare is { } share && !(share > 0 && share < 1))
        {
            problems.Add($"data.testShare must be above 0 and below 1; got {Show(share)}.");
        }
    }

    private static void CheckTraining(TrainSection train, List<string> problems)
    {
        if (train.Epochs is { } epochs)
        {
            InRange("train.epochs", epochs, 1, 1_000_000, problems);
        }

        if (train.Steps is { } steps)
        {
            InRange("train.steps", steps, 1, MaxSteps, problems);
        }

        InRange("train.batch", train.Batch, 1, JobLimits.MaxBatch, problems);
        InRange("train.dataShards", train.DataShards, 1, JobLimits.MaxDataShards, problems);
        InRange("train.seed", train.Seed, 0, long.MaxValue, problems);
        if (train.ClipNorm is { } norm)
        {
            Positive("train.clipNorm", norm, problems);
        }
    }

    private static void CheckOptimizer(OptimizerSection optimizer, List<string> problems)
    {
        NotNegative("optimizer.learningRate", optimizer.LearningRate, problems);
        Fraction("optimizer.momentum", optimizer.Momentum, problems);
        NotNegative("optimizer.weightDecay", optimizer.WeightDecay, problems);
        Fraction("optimizer.beta1", optimizer.Beta1, problems);
        Fraction("optimizer.beta2", optimizer.Beta2, problems);
        Positive("optimizer.epsilon", optimizer.Epsilon, problems);
        Positive("optimizer.trustCoefficient", optimizer.TrustCoefficient, problems);
        if (optimizer is { Type: "sgd", Nesterov: true, Momentum: 0 })
        {
            problems.Add("optimizer.nesterov needs a momentum above 0; set optimizer.nesterov=false.");
        }
    }

    private static void CheckSchedule(ScheduleSection schedule, List<string> problems)
    {
        InRange("schedule.warmupSteps", schedule.WarmupSteps, 0, MaxSteps, problems);
        InRange("schedule.everyEpochs", schedule.EveryEpochs, 0, 1_000_000, problems);
        InRange("schedule.everySteps", schedule.EverySteps, 0, MaxSteps, problems);
        if (schedule is { Type: "step", EveryEpochs: 0, EverySteps: 0 })
        {
            problems.Add("schedule.type 'step' needs schedule.everyEpochs or schedule.everySteps above 0.");
        }

        Positive("schedule.factor", schedule.Factor, problems);
        NotNegative("schedule.minimumRate", schedule.MinimumRate, problems);
    }

    private static void CheckCheckpoint(CheckpointSection checkpoint, List<string> problems)
    {
        InRange("checkpoint.everySteps", checkpoint.EverySteps, 0, MaxSteps, problems);
        NotNegative("checkpoint.everyMinutes", checkpoint.EveryMinutes, problems);
        InRange("checkpoint.keep", checkpoint.Keep, CheckpointStore.MinimumKept, int.MaxValue, problems);
        InRange("checkpoint.keepEvery", checkpoint.KeepEvery, 0, 1_000_000, problems);
    }

    private static void CheckLayout(TrainConfiguration configuration, List<string> problems)
    {
        LayoutSection layout = configuration.Layout;
        long workers = layout.Workers ?? 1;
        InRange("layout.workers", workers, 1, JobLimits.MaxDataShards, problems);
        if (layout.MinWorkers is { } least)
        {
            long most = layout.Workers ?? Math.Min(LayoutSection.DefaultWorkers, configuration.Train.DataShards);
            InRange("layout.minWorkers", least, 1, Math.Max(1, most), problems);
        }

        InRange("layout.silos", layout.Silos, 1, 64, problems);
        if (layout.Partitions is { } partitions)
        {
            InRange("layout.partitions", partitions, 1, JobLimits.MostPartitions, problems);
        }

        if (layout.Standbys is { } standbys)
        {
            InRange("layout.standbys", standbys, 0, 1, problems);
        }

        if (layout.Threads is { } threads)
        {
            InRange("layout.threads", threads, 1, JobLimits.MostThreads, problems);
        }

        bool areInRange = workers is >= 1 and <= JobLimits.MaxDataShards && configuration.Train.DataShards >= 1;
        if (areInRange && JobLimits.ProblemOfWorkers(workers, configuration.Train.DataShards) is { } problem)
        {
            problems.Add($"layout.workers is {workers}: {problem}");
        }
    }

    private static void InRange(string name, long value, long low, long high, List<string> problems)
    {
        if (value < low || value > high)
        {
            problems.Add($"{name} must be from {low} to {high}; got {WholeText.Show(value)}.");
        }
    }

    private static string Show(double value) => double.IsInfinity(value) ? "a number that is far outside" : $"{value}";

    private static void NotNegative(string name, double value, List<string> problems)
    {
        if (!double.IsFinite(value) || value < 0)
        {
            problems.Add($"{name} must be a finite number, at least 0; got {Show(value)}.");
        }
    }

    private static void Positive(string name, double value, List<string> problems)
    {
        if (!double.IsFinite(value) || value <= 0)
        {
            problems.Add($"{name} must be a finite number above 0; got {Show(value)}.");
        }
    }

    private static void Fraction(string name, double value, List<string> problems)
    {
        if (!(value >= 0 && value < 1))
        {
            problems.Add($"{name} must be at least 0 and below 1; got {Show(value)}.");
        }
    }
}
