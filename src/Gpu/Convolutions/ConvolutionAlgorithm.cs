using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution;
using ConvNet.Engine.Kernels.Convolution.Winograd;
using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

/// <summary>The three phases of one convolution on a device, with the order of sums of the engine's kernel for the same geometry.</summary>
internal abstract class ConvolutionAlgorithm : IDisposable
{
    /// <summary>The engine's choice, which follows from the geometry alone.</summary>
    public static ConvolutionAlgorithm For(ConvolutionGeometry geometry, Products products) =>
        DepthwiseConvolution.Fits(geometry) ? new DepthwiseAlgorithm(geometry, products)
        : WinogradConvolution.TileFor(geometry) is { } tile ? new WinogradAlgorithm(geometry, tile, products)
        : new DirectAlgorithm(geometry, products);

    /// <summary>In which runs the gradient of the bias is summed.</summary>
    public abstract GradientRuns BiasRuns { get; }

    /// <param name="weights">(K, C/groups, R, S); must keep its values until the last phase that uses them.</param>
    public abstract void Load(ArrayView<Float32> weights);

    /// <param name="bias">(K), padded to whole blocks with zeros, or of length 1 for none.</param>
    public abstract void Forward(DeviceTensor x, DeviceTensor y, ArrayView<Float32> bias, int samples);

    /// <summary>dx = ∂loss/∂x, overwritten.</summary>
    public abstract void BackwardData(DeviceTensor dy, DeviceTensor dx, int samples);

    /// <param name="leaves">For each shard of the plan (K, C/groups, R, S), overwritten.</param>
    public abstract void BackwardWeights(DeviceTensor x, DeviceTensor dy, ShardPlan plan, ArrayView<Float32> leaves);

    public abstract void Dispose();
}
