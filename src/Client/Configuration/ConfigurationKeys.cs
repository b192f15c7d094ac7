using ConvNet.Engine.Errors;

namespace ConvNet.Client.Configuration;

/// <summary>All settings, in the order in which they are written.</summary>
public static class ConfigurationKeys
{
    public static IReadOnlyList<ConfigurationKey> All { get; } =
    [
        ConfigurationKey.Text("model", c => c.Model, (c, v) => c.Model = v),
        ConfigurationKey.Text("data.path", c => c.Data.Path, (c, v) => c.Data.Path = v),
        ConfigurationKey.Text("data.size", c => c.Data.Size, (c, v) => c.Data.Size = v),
        ConfigurationKey.Whole("data.channels", c => c.Data.Channels, (c, v) => c.Data.Channels = v),
        ConfigurationKey.Number("data.testShare", c => c.Data.TestShare, (c, v) => c.Data.TestShare = v),
        ConfigurationKey.Whole("train.epochs", c => c.Train.Epochs, (c, v) => (c.Train.Epochs, c.Train.Steps) = (v, null)),
        ConfigurationKey.Whole("train.steps", c => c.Train.Steps, (c, v) => (c.Train.Epochs, c.Train.Steps) = (null, v)),
        ConfigurationKey.Whole("train.batch", c => c.Train.Batch, (c, v) => c.Train.Batch = v),
        ConfigurationKey.Switch("train.dropLast", c => c.Train.DropLast, (c, v) => c.Train.DropLast = v),
        ConfigurationKey.Whole("train.dataShards", c => c.Train.DataShards, (c, v) => c.Train.DataShards = v),
        ConfigurationKey.Seed("train.seed", c => c.Train.Seed, (c, v) => c.Train.Seed = v),
        ConfigurationKey.Number("train.clipNorm", c => c.Train.ClipNorm, (c, v) => c.Train.ClipNorm = v),
        ConfigurationKey.Choice("train.nonFinite", ["skip", "stop"], c => c.Train.NonFinite, (c, v) => c.Train.NonFinite = v),
        ConfigurationKey.Choice("train.batchNorm", ["sync", "shard"], c => c.Train.BatchNorm, (c, v) => c.Train.BatchNorm = v),
        ConfigurationKey.Choice(
            "train.runningAverage", ["exponential", "cumulative"], c => c.Train.RunningAverage, (c, v) => c.Train.RunningAverage = v),
        ConfigurationKey.Choice("train.initialization", ["he", "xavier"], c => c.Train.Initialization, (c, v) => c.Train.Initialization = v),
        ConfigurationKey.Choice("optimizer.type", ["sgd", "adam", "adamw", "lars"], c => c.Optimizer.Type, (c, v) => c.Optimizer.Type = v),
        ConfigurationKey.Number("optimizer.learningRate", c => c.Optimizer.LearningRate, (c, v) => c.Optimizer.LearningRate = v),
        ConfigurationKey.Number("optimizer.momentum", c => c.Optimizer.Momentum, (c, v) => c.Optimizer.Momentum = v),
        ConfigurationKey.Switch("optimizer.nesterov", c => c.Optimizer.Nesterov, (c, v) => c.Optimizer.Nesterov = v),
        ConfigurationKey.Number("optimizer.weightDecay", c => c.Optimizer.WeightDecay, (c, v) => c.Optimizer.WeightDecay = v),
        ConfigurationKey.Number("optimizer.beta1", c => c.Optimizer.Beta1, (c, v) => c.Optimizer.Beta1 = v),
        ConfigurationKey.Number("optimizer.beta2", c => c.Optimizer.Beta2, (c, v) => c.Optimizer.Beta2 = v),
        ConfigurationKey.Number("optimizer.epsilon", c => c.Optimizer.Epsilon, (c, v) => c.Optimizer.Epsilon = v),
        ConfigurationKey.Number(
            "optimizer.trustCoefficient", c => c.Optimizer.TrustCoefficient, (c, v) => c.Optimizer.TrustCoefficient = v),
        ConfigurationKey.Choice("schedule.type", ["constant", "step", "cosine"], c => c.Schedule.Type, (c, v) => c.Schedule.Type = v),
        ConfigurationKey.Whole("schedule.warmupSteps", c => c.Schedule.WarmupSteps, (c, v) => c.Schedule.WarmupSteps = v),
        ConfigurationKey.Whole("schedule.everyEpochs", c => c.Schedule.EveryEpochs, (c, v) => c.Schedule.EveryEpochs = v),
        ConfigurationKey.Whole("schedule.everySteps", c => c.Schedule.EverySteps, (c, v) => c.Schedule.EverySteps = v),
        ConfigurationKey.Number("schedule.factor", c => c.Schedule.Factor, (c, v) => c.Schedule.Factor = v),
        ConfigurationKey.Number("schedule.minimumRate", c => c.Schedule.MinimumRate, (c, v) => c.Schedule.MinimumRate = v),
        ConfigurationKey.Whole("augmentation.padCrop", c => c.Augmentation.PadCrop, (c, v) => c.Augmentation.PadCrop = v),
        ConfigurationKey.Switch("augmentation.flip", c => c.Augmentation.Flip, (c, v) => c.Augmentation.Flip = v),
        ConfigurationKey.Whole("checkpoint.everySteps", c => c.Checkpoint.EverySteps, (c, v) => c.Checkpoint.EverySteps = v),
        ConfigurationKey.Number("checkpoint.everyMinutes", c => c.Checkpoint.EveryMinutes, (c, v) => c.Checkpoint.EveryMinutes = v),
        ConfigurationKey.Whole("checkpoint.keep", c => c.Checkpoint.Keep, (c, v) => c.Checkpoint.Keep = v),
        ConfigurationKey.Whole("checkpoint.keepEvery", c => c.Checkpoint.KeepEvery, (c, v) => c.Checkpoint.KeepEvery = v),
        ConfigurationKey.Whole("layout.workers", c => c.Layout.Workers, (c, v) => c.Layout.Workers = v),
        ConfigurationKey.Whole("layout.minWorkers", c => c.Layout.MinWorkers, (c, v) => c.Layout.MinWorkers = v),
        ConfigurationKey.Whole("layout.silos", c => c.Layout.Silos, (c, v) => c.Layout.Silos = v),
        ConfigurationKey.Whole("layout.threads", c => c.Layout.Threads, (c, v) => c.Layout.Threads = v),
        ConfigurationKey.Device("layout.device", c => c.Layout.Device, (c, v) => c.Layout.Device = v),
        ConfigurationKey.Whole("layout.partitions", c => c.Layout.Partitions, (c, v) => c.Layout.Partitions = v),
        ConfigurationKey.Whole("layout.standbys", c => c.Layout.Standbys, (c, v) => c.Layout.Standbys = v),
    ];

    /// <summary>The setting with this path, or null.</summary>
    public static ConfigurationKey? Find(string path) => All.FirstOrDefault(key => key.Path == path);

    /// <summary>"Did you mean …?", or where all keys can be seen.</summary>
    public static string Hint(string path)
    {
        string hint = NearMatch.Suggest(path, All.Select(key => key.Path));
        if (hint.Length == 0)
        {
            // The section was forgotten.
            ConfigurationKey? meant = All.FirstOrDefault(key => NearMatch.Suggest(path, [key.Path.Split('.')[^1]]).Length > 0);
            hint = meant is null ? "" : $" Did you mean '{meant.Path}'?";
        }

        return hint.Length > 0 ? hint : " The file config.resolved.yaml of any run lists all keys.";
    }
}
