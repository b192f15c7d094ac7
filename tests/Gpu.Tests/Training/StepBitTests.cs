using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
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

    public void Dispose() => _device.Dispose();
}
