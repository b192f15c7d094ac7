using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Tests.Layers;
using Xunit;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>Statistics that span data shards and workers against a float64 oracle over the whole batch.</summary>
public sealed class SynchronizedBatchNormTests
{
    private const double Tolerance = 1e-4;
    private const uint Seed = 77;

    /// <summary>Batch 3 leaves the first shard, and with four workers the first worker, without a sample.</summary>
    public static TheoryData<int, int, float, KernelSet> Layouts()
    {
        var layouts = new TheoryData<int, int, float, KernelSet>();
        foreach (KernelSet kernels in Enum.GetValues<KernelSet>())
        {
            foreach (float mean in new[] { 0f, 1e4f })
            {
                foreach (int workers in new[] { 1, 2, 4 })
                {
                    layouts.Add(10, workers, mean, kernels);
                    layouts.Add(3, workers, mean, kernels);
                }
            }
        }

        return layouts;
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Four_uneven_shards_agree_with_the_whole_batch(int batch, int workers, float mean, KernelSet kernels)
    {
        var shape = new Shape(11, 9, 7);
        float[] x = Formula.Values(Seed, 0, batch * shape.Count, (float)Math.Sqrt(3), mean);
        float[] dy = Formula.Values(Seed, 1, x.Length);
        float[] gamma = Formula.Values(Seed, 2, shape.C, 0.25f, 1);
        float[] beta = Formula.Values(Seed, 3, shape.C, 0.25f);
        var oracle = new BatchNormOracle(shape, batch, x, dy, gamma, beta);

        LayerResult result = LayerRun.Of([new BatchNormSpec()], shape, kernels, dataShards: 4, workers).Train(
            batch, x, _ => dy, (name, _) => name == "0.weight" ? gamma : beta);

        GoldenAssert.Close<double>("y", oracle.Y, result.Y, Tolerance);
        GoldenAssert.Close<double>("dx", oracle.Dx, result.Dx, Tolerance);
        GoldenAssert.Close<double>("dGamma", oracle.DGamma, result.Gradients["0.weight"], Tolerance);
        GoldenAssert.Close<double>("dBeta", oracle.DBeta, result.Gradients["0.bias"], Tolerance);
    }
}
