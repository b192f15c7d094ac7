using ConvNet.Client.Configuration;
using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Runs;

/// <summary>Turns a configuration into the complete description of a job.</summary>
internal static class JobFactory
{
    /// <exception cref="ConvNetException">Model, data and options don't fit together (exit code 3).</exception>
    public static JobSpec Create(TrainConfiguration configuration, ModelSpec model, Dataset data)
    {
        TrainSection train = configuration.Train;
        var adapter = InputAdapter.For(data, model.Input);
        var shape = new JobShape(data.Train.Count, (int)train.Batch, (int)train.DataShards, 0, train.DropLast);
        if (shape.StepsPerEpoch == 0)
        {
            throw ConvNetException.BadInput(
                $"train.dropLast leaves out the smaller batch of an epoch, but the {shape.Samples} training images are less than one batch of " +
                $"{shape.Batch}; use a batch of at most {shape.Samples}, or train.dropLast=false.");
        }

        var spec = new JobSpec
        {
            Model = model,
            Data = ReferenceOf(configuration.Data, data.Sha256),
            Adapter = adapter,
            ClassNames = [.. data.ClassNames],
            TrainSamples = data.Train.Count,
            TestSamples = data.Test.Count,
            Optimizer = OptimizerOf(configuration.Optimizer),
            Schedule = ScheduleOf(configuration.Schedule),
            ClipNorm = train.ClipNorm,
            Augmentation = AugmentationOf(configuration.Augmentation),
            BatchNormMode = train.BatchNorm == "sync" ? BatchNormMode.Sync : BatchNormMode.Shard,
            RunningAverage = train.RunningAverage == "exponential" ? RunningAverage.Exponential : RunningAverage.Cumulative,
            Initialization = train.Initialization == "he" ? InitializationKind.He : InitializationKind.Xavier,
            NonFinite = train.NonFinite == "skip" ? NonFinitePolicy.Skip : NonFinitePolicy.Stop,
            Batch = (int)train.Batch,
            DropLast = train.DropLast,
            DataShards = (int)train.DataShards,
            Seed = (ulong)train.Seed,
            TotalSteps = train.Steps ?? checked(train.Epochs!.Value * shape.StepsPerEpoch),
        };
        Check(spec, data);
        return spec;
    }

    /// <summary>A built-in name stays one; everything else becomes an absolute path, so that silos find it, too.</summary>
    public static string PathOf(string nameOrPath) => DatasetFiles.Names.Contains(nameOrPath) ? nameOrPath : Path.GetFullPath(nameOrPath);

    /// <summary>The data that a configuration names, for the job.</summary>
    public static DataReference ReferenceOf(DataSection section, string sha256) =>
        new(PathOf(section.Path), section.Size, sha256, (int?)section.Channels, section.TestShare);

    private static void Check(JobSpec spec, Dataset data)
    {
        spec.Optimizer.Validate();
        spec.Schedule.Validate();
        spec.Augmentation?.Validate(spec.Model.Input);
        var model = new Model(spec.Model, spec.BatchNormMode);
        CheckBatches(spec, model);
        if (data.ClassCount > model.Classes)
        {
            throw ConvNetException.BadInput(
                $"data '{data.Name}' has {data.ClassCount} classes, but model '{spec.Model.Name}' ends with {model.Classes}; " +
                $"use a model file whose last layer is {{\"type\":\"fullyConnected\",\"out\":{data.ClassCount}}}.");
        }
    }

    private static void CheckBatches(JobSpec spec, Model model)
    {
        int samples = spec.TrainSamples;
        model.CheckBatch(Math.Min(spec.Batch, samples), spec.DataShards);
        int last = spec.Shape.BatchOf(spec.StepsPerEpoch - 1);
        bool isReached = spec.TotalSteps >= spec.StepsPerEpoch;
        if (isReached && model.ProblemOfBatch(last, spec.DataShards) is { } problem)
        {
            int works = Enumerable.Range(1, samples).OrderBy(batch => Math.Abs((long)batch - spec.Batch)).FirstOrDefault(batch =>
                model.ProblemOfBatch(batch, spec.DataShards) is null
                && (samples % batch == 0 || model.ProblemOfBatch(samples % batch, spec.DataShards) is null));
            throw ConvNetException.BadInput(
                $"the last batch of each epoch has {samples} mod {spec.Batch} = {last} of the training images: {problem}; " +
                $"leave that batch out with -s train.dropLast=true{(works == 0 ? "" : $", or use another one, such as --batch {works}")}.");
        }
    }

    private static OptimizerSpec OptimizerOf(OptimizerSection optimizer)
    {
        OptimizerSpec spec = optimizer.Type switch
        {
            "sgd" => new Sgd { Momentum = optimizer.Momentum, Nesterov = optimizer.Nesterov },
            "adam" => AdamOf(new Adam(), optimizer),
            "adamw" => AdamOf(new AdamW(), optimizer),
            "lars" => new Lars
            {
                Momentum = optimizer.Momentum,
                TrustCoefficient = optimizer.TrustCoefficient,
                Epsilon = optimizer.Epsilon,
            },
            string other => throw ConvNetException.BadInput($"unknown optimizer '{other}'."),
        };
        return spec with { LearningRate = optimizer.LearningRate, WeightDecay = optimizer.WeightDecay };
    }

    private static AdamFamily AdamOf(AdamFamily spec, OptimizerSection optimizer) =>
        spec with { Beta1 = optimizer.Beta1, Beta2 = optimizer.Beta2, Epsilon = optimizer.Epsilon };

    private static LearningRateSchedule ScheduleOf(ScheduleSection schedule) => schedule.Type switch
    {
        "constant" => new ConstantSchedule { WarmUpSteps = schedule.WarmupSteps },
        "step" => new StepSchedule
        {
            WarmUpSteps = schedule.WarmupSteps,
            EveryEpochs = (int)schedule.EveryEpochs,
            EverySteps = schedule.EverySteps,
            Factor = schedule.Factor,
        },
        "cosine" => new CosineSchedule { WarmUpSteps = schedule.WarmupSteps, MinimumRate = schedule.MinimumRate },
        string other => throw ConvNetException.BadInput($"unknown schedule '{other}'."),
    };

    private static Augmentation? AugmentationOf(AugmentationSection augmentation) =>
        augmentation is { PadCrop: 0, Flip: false } ? null : new Augmentation((int)augmentation.PadCrop, augmentation.Flip);
}
