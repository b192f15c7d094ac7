using ConvNet.Engine.Kernels;
using ConvNet.Engine.Kernels.Convolution;
using ConvNet.Engine.Kernels.Convolution.Winograd;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using Xunit;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>The four presets against PyTorch in float64: a first step, layer by layer and as a whole, and evaluation.</summary>
public sealed class NetGoldenTests
{
    private const double LossTolerance = 1e-5;
    private const double GradientTolerance = 1e-4;
    private const double FastLayerTolerance = 1e-5;

    /// <summary>Winograd's points multiply rounding errors.</summary>
    private const double WinogradTolerance = 5e-5;

    private const double FastLossTolerance = 1e-4;
    private const double FastGradientTolerance = 5e-2;

    public static TheoryData<string> Nets() => [.. ModelPresets.Names];

    [Theory]
    [MemberData(nameof(Nets))]
    public void First_step_with_reference_kernels_and_every_layer_with_fast_ones(string net)
    {
        GoldenFile file = GoldenFile.Read(net);
        GoldenCase golden = file.Cases[0];
        var recording = new NetRecording(net);

        Assert.Equal(golden.Loss, recording.Loss, LossTolerance);
        foreach (RecordedLayer layer in recording.Layers)
        {
            foreach ((string name, float[] gradient) in layer.Result.Gradients)
            {
                GoldenAssert.Close(file, golden, $"d.{name}", gradient, GradientTolerance);
            }
        }

        Assert.Equal(
            golden.Expected.Count(tensor => tensor.Name.StartsWith("d.", StringComparison.Ordinal)),
            recording.Layers.Sum(layer => layer.Result.Gradients.Count));
        for (int i = 0; i < recording.Layers.Count; i++)
        {
            RecordedLayer layer = recording.Layers[i];
            CompareFast(layer, golden);
            if (layer.Spec is BatchNormSpec && layer.Next is ReLUSpec)
            {
                CompareFastPair(layer, recording.Layers[i - 1], golden);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Nets))]
    public void First_step_with_fast_kernels_is_close_as_a_whole(string net)
    {
        GoldenFile file = GoldenFile.Read(net);
        GoldenCase golden = file.Cases[0];
        using var state = new NetState(net, 0, KernelSet.Fast);

        double loss = state.Train();

        Assert.InRange(loss, golden.Loss * (1 - FastLossTolerance), golden.Loss * (1 + FastLossTolerance));
        var difference = new RelativeDifference();
        foreach (Parameter parameter in state.Network.Model.Parameters)
        {
            difference.Add(file, golden, $"d.{parameter.Name}", state.Exchange.Gradient(parameter));
        }

        Assert.InRange(difference.Value, 0, FastGradientTolerance);
    }

    [Theory]
    [MemberData(nameof(Nets))]
    public void Evaluation_gives_the_logits_of_PyTorch(string net)
    {
        GoldenFile file = GoldenFile.Read(net);
        foreach (KernelSet kernels in Enum.GetValues<KernelSet>())
        {
            using var state = new NetState(net, 0, kernels);
            GoldenAssert.Close(file, file.Cases[0], "evalLogits", state.Predict(), kernels == KernelSet.Fast ? 1e-4 : 1e-5);
        }
    }

    /// <summary>Fed the reference kernels' input and output gradient.</summary>
    private static void CompareFast(RecordedLayer layer, GoldenCase golden)
    {
        LayerResult fast = NetRecording.Single(layer.Spec, layer.Name, layer.Input, KernelSet.Fast).Train(
            golden.Batch, layer.X, _ => layer.Dy, (name, count) => golden.StateOf(name).Values(golden.Seed, count));
        double tolerance = UsesWinograd(layer) ? WinogradTolerance : FastLayerTolerance;
        GoldenAssert.Close<float>($"{layer.Name}: y", layer.Result.Y, fast.Y, tolerance);
        GoldenAssert.Close<float>($"{layer.Name}: dx", layer.Result.Dx, fast.Dx, tolerance);
        foreach ((string name, float[] gradient) in layer.Result.Gradients)
        {
            GoldenAssert.Close<float>($"d.{name}", gradient, fast.Gradients[name], tolerance);
        }
    }

    private static bool UsesWinograd(RecordedLayer layer)
    {
        using ConvolutionKernel? kernel = layer.Spec is ConvolutionSpec spec ? WinogradConvolution.For<Floats8>(spec.Geometry(layer.Input, layer.Name)) : null;
        return kernel is not null;
    }

    /// <summary>A batch norm and the ReLU behind it share a pass in the fast kernels.</summary>
    private static void CompareFastPair(RecordedLayer norm, RecordedLayer relu, GoldenCase golden)
    {
        LayerResult fast = LayerRun.Of([norm.Spec, relu.Spec], norm.Input, KernelSet.Fast, NetState.DataShards).Train(
            golden.Batch, norm.X, _ => relu.Dy, (name, count) => golden.StateOf(norm.Name + name[1..]).Values(golden.Seed, count));
        GoldenAssert.Close<float>($"{norm.Name} and ReLU: y", relu.Result.Y, fast.Y, FastLayerTolerance);
        GoldenAssert.Close<float>($"{norm.Name} and ReLU: dx", norm.Result.Dx, fast.Dx, FastLayerTolerance);
        foreach ((string name, float[] gradient) in fast.Gradients)
        {
            float[] expected = norm.Result.Gradients[norm.Name + name[1..]];
            GoldenAssert.Close<float>($"{norm.Name} and ReLU: d.{name}", expected, gradient, FastLayerTolerance);
        }
    }
}
