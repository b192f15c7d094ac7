using ConvNet.Engine.Geometry;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.LocallyConnected;

/// <summary>The phases of a locally connected layer. Weights are (K, C, R, S, Ho, Wo), the bias (K, Ho, Wo).</summary>
internal abstract class LocallyConnectedKernel
{
    public static LocallyConnectedKernel For(ConvolutionGeometry geometry, KernelSet kernels) =>
        kernels == KernelSet.Reference ? new ReferenceLocallyConnected(geometry)
        : VectorWidth.IsWide ? new FastLocallyConnected<Floats16>(geometry)
        : new FastLocallyConnected<Floats8>(geometry);

    /// <param name="bias">Empty for none.</param>
    public abstract void Load(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias);

    public abstract void Forward(Activation x, Activation y, int samples, ThreadTeam team);

    public abstract void BackwardData(Activation dy, Activation dx, int samples, ThreadTeam team);

    /// <param name="roots">Where the sum of each root of the plan goes, in logical order; overwritten.</param>
    public abstract void BackwardWeights(Activation x, Activation dy, ShardPlan plan, Func<int, float[]> roots, ThreadTeam team);

    /// <param name="roots">As above.</param>
    public abstract void BackwardBias(Activation dy, ShardPlan plan, Func<int, float[]> roots, ThreadTeam team);
}
