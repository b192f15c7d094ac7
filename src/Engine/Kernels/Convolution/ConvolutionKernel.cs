using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution.Winograd;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>The three phases of one convolution. Padding lanes of the results are zero.</summary>
internal abstract class ConvolutionKernel : IDisposable
{
    /// <summary>The choice follows from the geometry alone, so that a job's bits don't depend on where it runs.</summary>
    public static ConvolutionKernel For(ConvolutionGeometry geometry, KernelSet kernels) =>
        kernels == KernelSet.Reference ? new ReferenceConvolution(geometry)
        : VectorWidth.IsWide ? For<Floats16>(geometry)
        : For<Floats8>(geometry);

    /// <summary>The fast kernel with vectors of one width, which changes no bit.</summary>
    public static ConvolutionKernel For<T>(ConvolutionGeometry geometry)
        where T : struct, IFloats<T> =>
        DepthwiseConvolution.Fits(geometry) ? new DepthwiseConvolution(geometry)
        : WinogradConvolution.For<T>(geometry) ?? new DirectConvolution<T>(geometry);

    /// <param name="weights">(K, C/groups, R, S); must keep its values until the last phase that uses them.</param>
    /// <param name="bias">(K), or null for none.</param>
    public abstract void Load(float[] weights, float[]? bias, ThreadTeam team);

    /// <summary>Takes over what a kernel of the same geometry has loaded, for forward alone, so that it is packed and held once for all threads.</summary>
    public abstract void Share(ConvolutionKernel loaded, ThreadTeam team);

    /// <summary>y = convolution of x, for samples 0 … samples−1.</summary>
    /// <param name="finished">Called with each sample whose output is complete, on the thread of the team that has it in its cache.</param>
    public abstract void Forward(Activation x, Activation y, int samples, ThreadTeam team, Action<int>? finished = null);

    /// <summary>dx = ∂loss/∂x, overwritten.</summary>
    /// <param name="finished">As in <see cref="Forward"/>, of dx.</param>
    public abstract void BackwardData(Activation dy, Activation dx, int samples, ThreadTeam team, Action<int>? finished = null);

    /// <param name="rootOfWeights">Where the sums of a root of the plan go: (K, C/groups, R, S), overwritten.</param>
    /// <param name="rootOfBias">The same for (K), or null.</param>
    public abstract void BackwardWeights(
        Activation x, Activation dy, ShardPlan plan, Func<int, float[]> rootOfWeights, Func<int, float[]>? rootOfBias, ThreadTeam team);

    public virtual void Dispose()
    {
    }
}
