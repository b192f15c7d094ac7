using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Threads;
using Xunit;

namespace ConvNet.Engine.Tests.Layers;

/// <summary>Every layer against central differences of loss = Σ weight·y in both kernel sets.</summary>
public class LayerGradientTests
{
    private const int Samples = 5;

    public static TheoryData<string, string> Cases { get; } = new()
    {
        { "conv", """{"type":"conv","out":9,"kernel":3,"padding":1,"bias":true}""" },
        { "conv strided dilated", """{"type":"conv","out":4,"kernel":[3,2],"stride":[2,1],"padding":[1,1],"dilation":[1,2],"rounding":"floor"}""" },
        { "conv grouped", """{"type":"conv","out":6,"kernel":3,"groups":3,"bias":true}""" },
        { "conv depthwise", """{"type":"conv","out":12,"kernel":3,"groups":12,"padding":"same"}""" },
        { "locallyConnected", """{"type":"locallyConnected","out":9,"kernel":3,"stride":2,"padding":1,"bias":true,"rounding":"floor"}""" },
        { "maxPool", """{"type":"maxPool","size":3,"stride":2,"padding":1,"rounding":"floor"}""" },
        { "avgPool", """{"type":"avgPool","size":3,"stride":2,"padding":1,"rounding":"floor"}""" },
        { "globalAvgPool", """{"type":"globalAvgPool"}""" },
        { "batchNorm", """{"type":"batchNorm"}""" },
        { "layerNorm", """{"type":"layerNorm"}""" },
        { "instanceNorm", """{"type":"instanceNorm"}""" },
        { "groupNorm", """{"type":"groupNorm","groups":4}""" },
        { "relu", """{"type":"relu"}""" },
        { "dropout", """{"type":"dropout","rate":0.4}""" },
        { "flatten", """{"type":"flatten"}""" },
        { "fullyConnected", """{"type":"flatten"},{"type":"fullyConnected","out":7}""" },
        { "conv then relu", """{"type":"conv","out":9,"kernel":3},{"type":"relu"}""" },
        { "batchNorm then relu", """{"type":"batchNorm"},{"type":"relu"}""" },
        {
            "residual",
            """
            {"type":"residual","main":[{"type":"conv","out":5,"kernel":3,"padding":1},{"type":"batchNorm"}],
            "shortcut":[{"type":"conv","out":5,"kernel":1}]}
            """
        },
        { "residual with identity", """{"type":"residual","main":[{"type":"relu"},{"type":"conv","out":12,"kernel":3,"padding":1}]}""" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_agree_with_central_differences(string name, string layers)
    {
        foreach (KernelSet kernels in new[] { KernelSet.Reference, KernelSet.Fast })
        {
            using var team = new ThreadTeam(2);
            var check = new LayerProbe(layers, new Shape(12, 6, 5), Samples, BatchNormMode.Sync, kernels, team);
            check.Run();
            Assert.True(check.InputError() < 2e-3, $"{name} {kernels}: input gradient off by {check.InputError()}");
            Assert.True(check.ParameterError() < 2e-3, $"{name} {kernels}: parameter gradient off by {check.ParameterError()}");
            Assert.True(check.PaddingIsZero(), $"{name} {kernels}: padding lanes are not zero");
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_fast_kernels_agree_with_the_reference(string name, string layers)
    {
        using var team = new ThreadTeam(2);
        foreach (BatchNormMode mode in Enum.GetValues<BatchNormMode>())
        {
            var reference = new LayerProbe(layers, new Shape(12, 6, 5), Samples, mode, KernelSet.Reference, team);
            var fast = new LayerProbe(layers, new Shape(12, 6, 5), Samples, mode, KernelSet.Fast, team);
            reference.Run();
            fast.Run();
            Assert.True(reference.Difference(fast) < 1e-5, $"{name} {mode}: differs by {reference.Difference(fast)} of the largest value");
        }
    }
}
