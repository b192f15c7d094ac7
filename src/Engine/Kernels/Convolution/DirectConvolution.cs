using ConvNet.Engine.Geometry;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// Direct convolution of any geometry, all three phases. The order of every sum follows from the geometry alone: not from the number of
/// threads, the samples of the pass or the shards held.
/// </summary>
internal sealed unsafe class DirectConvolution<T> : ConvolutionKernel
    where T : struct, IFloats<T>
{
    private readonly ConvolutionGeometry _geometry;
    private readonly IndirectPass<T>[] _forward;
    private readonly IndirectPass<T>[] _backward;
    private readonly WeightGradientPass<T> _gradient;
    private readonly ChannelGroups? _groups;

    public DirectConvolution(ConvolutionGeometry geometry)
    {
        _geometry = geometry;
        Shape input = geometry.Input with { C = geometry.ChannelsPerGroup };
        Shape output = geometry.Output with { C = geometry.FiltersPerGroup };
        int inputStride = geometry.Input.Blocks * input.Area * 8;
        int outputStride = geometry.Output.Blocks * output.Area * 8;
        if (geometry.Groups > 1 && (input.C % 8 != 0 || output.C % 8 != 0))
        {
            _groups = new ChannelGroups();
            inputStride = input.Blocks * input.Area * 8;
            outputStride = output.Blocks * output.Area * 8;
        }

        IndirectPhase[] forward = IndirectPhase.Forward(geometry);
        IndirectPhase[] backward = IndirectPhase.BackwardData(geometry);
        _forward = new IndirectPass<T>[geometry.Groups];
        _backward = new IndirectPass<T>[geometry.Groups];
        for (int g = 0; g < geometry.Groups; g++)
        {
            _forward[g] = new IndirectPass<T>(input, output, inputStride, outputStride, forward);
            _backward[g] = new IndirectPass<T>(output, input, outputStride, inputStride, backward);
        }

        _gradient = new WeightGradientPass<T>(geometry, inputStride, outputStride);
    }

    public override void Load(float[] weights, float[]? bias, ThreadTeam team)
    {
        int filters = _geometry.FiltersPerGroup;
        int filter = _geometry.FilterCount;
        for (int g = 0; g < _geometry.Groups; g++)
        {
            int first = g * filters * filter;
            _forward[g].Load(weights, first, filter, _geometry.Taps, bias is null ? [] : bias.AsSpan(g * filters, filters));
            _backward[g].Load(weights, first, _geometry.Taps, filter, []);
        }
    }

    public override void Share(ConvolutionKernel loaded, ThreadTeam team)
    {
        for (int g = 0; g < _forward.Length; g++)
        {
            _forward[g].Share(((DirectConvolution<T>)loaded)._forward[g], team);
        }
    }

    public override void Forward(Activation x, Activation y, int samples, ThreadTeam team, Action<int>? finished = null) =>
        Run(_forward, x, y, samples, team, finished);

    public override void BackwardData(Activation dy, Activation dx, int samples, ThreadTeam team, Action<int>? finished = null) =>
        Run(_backward, dy, dx, samples, team, finished);

    public override void BackwardWeights(
        Activation x, Activation dy, ShardPlan plan, Func<int, float[]> rootOfWeights, Func<int, float[]>? rootOfBias, ThreadTeam team)
    {
        for (int g = 0; g < _geometry.Groups; g++)
        {
            float* source = Enter(0, x, g, plan.Samples, team);
            float* gradient = Enter(1, dy, g, plan.Samples, team);
            _gradient.Run(source, gradient, plan, rootOfWeights, rootOfBias, g * _geometry.FiltersPerGroup, team);
        }
    }

    public override void Dispose() => _groups?.Dispose();

    private void Run(
        IndirectPass<T>[] passes, Activation source, Activation destination, int samples, ThreadTeam team, Action<int>? finished)
    {
        for (int g = 0; g < passes.Length; g++)
        {
            Action<int>? last = g == passes.Length - 1 ? finished : null;
            float* from = Enter(0, source, g, samples, team);
            if (_groups is null)
            {
                passes[g].Run(from, FirstBlock(destination, g), samples, team, last);
            }
            else
            {
                Activation scratch = _groups.Scratch(1, destination, _geometry.Groups);
                passes[g].Run(from, scratch.Data, samples, team, null);
                _groups.Scatter(scratch, destination, g * scratch.Shape.C, samples, team, last);
            }
        }
    }

    /// <summary>The first block of a group: in place if groups are whole blocks, else gathered.</summary>
    private float* Enter(int slot, Activation whole, int group, int samples, ThreadTeam team)
    {
        if (_groups is null)
        {
            return FirstBlock(whole, group);
        }

        Activation scratch = _groups.Scratch(slot, whole, _geometry.Groups);
        _groups.Gather(whole, scratch, group * scratch.Shape.C, samples, team);
        return scratch.Data;
    }

    private float* FirstBlock(Activation whole, int group) =>
        whole.Data + (long)group * (whole.Shape.C / _geometry.Groups / 8) * whole.Shape.Area * 8;
}
