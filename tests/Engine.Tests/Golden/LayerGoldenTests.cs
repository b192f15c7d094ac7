using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Tests.Threads;
using ConvNet.Engine.Threads;
using Xunit;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>Every layer configuration against PyTorch in float64, with both kernel sets.</summary>
public sealed class LayerGoldenTests
{
    private const double Tolerance = 1e-5;

    public static TheoryData<string, KernelSet> Cases()
    {
        var cases = new TheoryData<string, KernelSet>();
        foreach (GoldenCase golden in GoldenFile.Read("layers").Cases)
        {
            cases.Add(golden.Name, KernelSet.Reference);
            if (golden.Kind != "softmaxCrossEntropy")
            {
                cases.Add(golden.Name, KernelSet.Fast);
            }
        }

        return cases;
    }

    [Fact]
    public void At_least_80_configurations_are_compared() => Assert.True(GoldenFile.Read("layers").Cases.Length >= 80);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Output_and_gradients_are_those_of_PyTorch(string name, KernelSet kernels)
    {
        GoldenFile file = GoldenFile.Read("layers");
        GoldenCase golden = file.Cases.Single(item => item.Name == name);
        float[] x = GoldenFile.Input(golden, golden.Batch * InputOf(golden).Count, golden.InputScale);
        if (golden.Kind == "softmaxCrossEntropy")
        {
            CompareLoss(file, golden, x);
            return;
        }

        LayerResult result = LayerRun.Of(SpecsOf(golden), InputOf(golden), kernels, dataShards: 3).Train(
            golden.Batch,
            x,
            y => GoldenFile.OutputGradient(golden, y.Length),
            (tensor, count) => golden.StateOf(tensor).Values(golden.Seed, count));
        GoldenAssert.Close(file, golden, "y", result.Y, Tolerance);
        GoldenAssert.Close(file, golden, "dx", result.Dx, Tolerance);
        foreach ((string tensor, float[] gradient) in result.Gradients)
        {
            GoldenAssert.Close(file, golden, $"d.{tensor}", gradient, Tolerance);
        }

        Assert.Equal(golden.Expected.Count(tensor => tensor.Name.StartsWith("d.", StringComparison.Ordinal)), result.Gradients.Count);
        foreach ((string norm, Moments moments) in result.Moments)
        {
            RunningStatistics.Compare(file, golden, norm, moments, Tolerance);
        }
    }

    private static void CompareLoss(GoldenFile file, GoldenCase golden, float[] x)
    {
        int classes = golden.Input[0];
        var tree = new ShardTree(golden.Batch, 3);
        var plan = new ShardPlan(tree, 0, 3);
        var loss = new SoftmaxCrossEntropy(classes);
        using Activation logits = Nchw.From(InputOf(golden), x);
        Metrics metrics = Assert.Single(loss.Forward(logits, Formula.Labels(golden.Seed, golden.Batch, classes), plan));
        GoldenAssert.Close(file, golden, "y", [(float)(metrics.LossSum / metrics.Count)], Tolerance);
        GoldenAssert.Close(file, golden, "dx", Nchw.Read(loss.Backward(), golden.Batch), Tolerance);
    }

    private static Shape InputOf(GoldenCase golden) => new(golden.Input[0], golden.Input[1], golden.Input[2]);

    private static IReadOnlyList<LayerSpec> SpecsOf(GoldenCase golden)
    {
        string input = string.Join(',', golden.Input);
        return ModelFile.Parse($$"""{"name":"{{golden.Name}}","input":[{{input}}],"layers":{{golden.Layers.GetRawText()}}}""").Layers;
    }
}
