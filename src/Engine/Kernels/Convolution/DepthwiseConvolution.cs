using ConvNet.Engine.Geometry;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>One filter for each channel: memory is what it waits for, so that each phase goes once through its activations.</summary>
internal sealed class DepthwiseConvolution(ConvolutionGeometry geometry) : ConvolutionKernel
{
    private readonly DepthwisePass _forward = new(geometry.Input, IndirectPhase.Forward(geometry));
    private readonly DepthwisePass _backward = new(geometry.Output, IndirectPhase.BackwardData(geometry));
    private readonly DepthwiseGradientPass _gradient = new(geometry);

    public static bool Fits(ConvolutionGeometry g) => g.Groups > 1 && g.ChannelsPerGroup == 1 && g.FiltersPerGroup == 1;

    public override void Load(float[] weights, float[]? bias, ThreadTeam team)
    {
        _forward.Load(weights.AsSpan(0, geometry.WeightCount), bias is null ? [] : bias.AsSpan(0, geometry.Output.C));
        _backward.Load(weights.AsSpan(0, geometry.WeightCount), []);
    }

    public override void Share(ConvolutionKernel loaded, ThreadTeam team) => _forward.Share(((DepthwiseConvolution)loaded)._forward);

    public override void Forward(Activation x, Activation y, int samples, ThreadTeam team, Action<int>? finished = null) =>
        _forward.Run(x, y, samples, team, finished);

    public override void BackwardData(Activation dy, Activation dx, int samples, ThreadTeam team, Action<int>? finished = null) =>
        _backward.Run(dy, dx, samples, team, finished);

    public override void BackwardWeights(
        Activation x, Activation dy, ShardPlan plan, Func<int, float[]> rootOfWeights, Func<int, float[]>? rootOfBias, ThreadTeam team) =>
        _gradient.Run(x, dy, plan, rootOfWeights, rootOfBias, team);
}
