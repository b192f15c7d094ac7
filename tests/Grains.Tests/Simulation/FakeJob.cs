using ConvNet.Engine.Layers;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>What decides the result of a simulated job.</summary>
/// <param name="NonFiniteStep">In this step the gradient of one shard has a NaN: every layout must skip it. −1 = never.</param>
/// <param name="FlippedStep">In this step one bit of one shard's gradient is flipped: a control. −1 = never.</param>
internal sealed record FakeJob(
    JobShape Shape,
    OptimizerSpec Optimizer,
    LearningRateSchedule Schedule,
    double? MaxGradientNorm,
    BatchNormMode BatchNorm,
    RunningAverage Average,
    int NonFiniteStep = -1,
    int FlippedStep = -1);
