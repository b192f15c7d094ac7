using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Gpu.Training;
using Xunit;

namespace ConvNet.Gpu.Tests.Training;

/// <summary>Whole steps of small nets, and evaluation, against the engine.</summary>
public sealed class StepBitTests : IDisposable
{
    private const string Flat = """
        {"name":"n","input":[3,6,6],"layers":[
          {"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":2,"stride":2},
          {"type":"residual","main":[{"type":"groupNorm","groups":3},{"type":"dropout","rate":0.25}]},
          {"type":"instanceNorm"},{"type":"layerNorm"},{"type":"avgPool","size":2,"stride":1},
          {"type":"flatten"},{"type":"fullyConnected","out":13},{"type":"batchNorm"},{"type":"relu"},
          {"type":"fullyConnected","out":5}]}
        """;

    /// <summary>resnet20's blocks, two of each width that narrows, over small images.</summary>
    private const string SmallResNet = """
        {"name":"small-resnet","input":[3,12,12],"layers":[
          {"type":"conv","out":16,"kernel":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},
          {"type":"residual","main":[
            {"type":"conv","out":16,"kernel":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},
            {"type":"conv","out":16,"kernel":3,"padding":1},{"type":"batchNorm"}]},
          {"type":"residual","main":[
            {"type":"conv","out":32,"kernel":3,"stride":2,"padding":1,"rounding":"floor"},{"type":"batchNorm"},{"type":"relu"},
            {"type":"conv","out":32,"kernel":3,"padding":1},{"type":"batchNorm"}],
           "shortcut":[{"type":"conv","out":32,"kernel":1,"stride":2,"rounding":"floor"},{"type":"batchNorm"}]},
          {"type":"globalAvgPool"},{"type":"flatten"},{"type":"fullyConnected","out":10}]}
        """;

    private readonly GpuDevice _device = GpuDevice.Emulated();

    [Theory]
    [InlineData(BatchNormMode.Sync)]
    [InlineData(BatchNormMode.Shard)]
    public void Steps_of_a_net_without_convolutions_have_the_engines_bits(BatchNormMode mode)
    {
        using var twins = new TwinTraining(_device, ModelFile.Parse(Flat), mode);
        twins.AssertSameSteps(steps: 3, batch: 9);
        twins.AssertSameEvaluation(batch: 5);
        twins.AssertSameSteps(steps: 1, batch: 11);
    }

    [Fact]
    public void Steps_of_a_net_with_every_layer_have_the_engines_bits() => AssertSame(Read("every-layer"), steps: 3, batch: 6);

    [Fact]
    public void A_step_of_a_net_with_every_convolution_has_the_engines_bits() => AssertSame(Read("every-convolution"), steps: 1, batch: 2);

    [Theory]
    [InlineData("every-layer", BatchNormMode.Sync, "nesterov")]
    [InlineData("every-layer", BatchNormMode.Shard, "sgd")]
    [InlineData("flat", BatchNormMode.Sync, "momentum")]
    [InlineData("flat", BatchNormMode.Shard, "adam")]
    [InlineData("small-resnet", BatchNormMode.Sync, "adamw")]
    public void Parameters_that_stay_on_the_device_have_the_engines_bits(string model, BatchNormMode mode, string optimizer)
    {
        ModelSpec spec = model switch
        {
            "flat" => ModelFile.Parse(Flat),
            "small-resnet" => ModelFile.Parse(SmallResNet),
            _ => Read(model),
        };
        OptimizerSpec rule = optimizer switch
        {
            "sgd" => new Sgd { LearningRate = 0.05, WeightDecay = 1e-3 },
            "momentum" => new Sgd { LearningRate = 0.05, Momentum = 0.9 },
            "adam" => new Adam { LearningRate = 1e-2, WeightDecay = 1e-3 },
            "adamw" => new AdamW { LearningRate = 1e-2, WeightDecay = 1e-2 },
            _ => new Sgd { LearningRate = 0.05, Momentum = 0.9, Nesterov = true, WeightDecay = 5e-4 },
        };
        using var twins = new TwinTraining(_device, spec, mode, rule, keepsParameters: true);
        twins.AssertSameSteps(steps: 3, batch: 6);
        twins.AssertEvaluatesOtherValues(batch: 3);
        twins.AssertSameSteps(steps: 1, batch: 6);
    }

    /// <summary>Recordings hold what they were made of: a step that is repeated must not want other arguments than the one before.</summary>
    [Theory]
    [InlineData("every-layer")]
    [InlineData("small-resnet")]
    public void Steps_are_repeated_from_recordings_with_the_engines_bits(string model)
    {
        ModelSpec spec = model == "small-resnet" ? ModelFile.Parse(SmallResNet) : Read(model);
        using var twins = new TwinTraining(_device, spec);
        twins.AssertSameSteps(steps: 3, batch: 6);
        AssertRepeats(twins);

        // Another size of batch in between, and evaluation, which load other values into the same memory; the next step loads the plan's tables again.
        twins.AssertSameSteps(steps: 1, batch: 4);
        twins.AssertSameEvaluation(batch: 3);
        twins.AssertSameSteps(steps: 1, batch: 6);
        AssertRepeats(twins);
    }

    [Fact]
    public void Steps_of_lenet_have_the_engines_bits() => AssertSame(ModelFile.Load("lenet"), steps: 3, batch: 5);

    [Theory]
    [InlineData("resnet20", 2)]
    [InlineData("vgg11-bn", 2)]
    [InlineData("fashion-cnn", 5)]
    public void Steps_of_a_whole_preset_have_the_engines_bits(string model, int batch)
    {
        Assert.SkipUnless(model != "vgg11-bn" || FullRun.IsAsked, FullRun.Needed);
        AssertSame(ModelFile.Load(model), steps: 2, batch);
    }

    [Fact]
    public void Steps_of_a_small_residual_net_have_the_engines_bits() => AssertSame(ModelFile.Parse(SmallResNet), steps: 3, batch: 5);

    public void Dispose() => _device.Dispose();

    private static ModelSpec Read(string model) =>
        ModelFile.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Models", $"{model}.json")));

    private void AssertSame(ModelSpec spec, int steps, int batch)
    {
        using var twins = new TwinTraining(_device, spec);
        twins.AssertSameSteps(steps, batch);
        twins.AssertSameEvaluation(batch: 3);
    }

    /// <summary>A step more, all of whose parts are recordings.</summary>
    private static void AssertRepeats(TwinTraining twins)
    {
        (long all, long repeated) = twins.Parts;
        twins.AssertSameSteps(steps: 1, batch: 6);
        Assert.Equal(twins.Parts.All - all, twins.Parts.Repeated - repeated);
        Assert.InRange(twins.Parts.All - all, 2, 20);
    }
}
