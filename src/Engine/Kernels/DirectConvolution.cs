using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Kernels;

/// <summary>
/// Direct convolution of any geometry, all three phases. The order of every sum follows from the geometry alone: not from the number of
/// threads, the samples of the pass or the shards held. Padding lanes of the results are zero.
/// </summary>
internal sealed unsafe class DirectConvolution
{
    private readonly ConvolutionGeometry _geometry;
    private readonly IndirectPass[] _forward;
    private readonly IndirectPass[] _backward;
    private readonly WeightGradientPass _gradient;
    private readonly Activation? _groupInput;
    private readonly Activation? _groupOutput;
    private readonly ChannelGroups? _groups;

    /// <param name="capacity">The most samples of a pass.</param>
    public DirectConvolution(ConvolutionGeometry geometry, int capacity)
    {
        _geometry = geometry;
        Shape input = geometry.Input with { C = geometry.ChannelsPerGroup };
        Shape output = geometry.Output with { C = geometry.FiltersPerGroup };
        int inputStride = geometry.Input.Blocks * input.Area * 8;
        int outputStride = geometry.Output.Blocks * output.Area * 8;
        if (geometry.Groups > 1 && (input.C % 8 != 0 || output.C % 8 != 0))
        {
            _groupInput = new Activation(input, capacity);
            _groupOutput = new Activation(output, capacity);
            _groups = new ChannelGroups();
            inputStride = _groupInput.SampleStride;
            outputStride = _groupOutput.SampleStride;
        }

        IndirectPhase[] forward = IndirectPhase.Forward(geometry);
        IndirectPhase[] backward = IndirectPhase.BackwardData(geometry);
        _forward = new IndirectPass[geometry.Groups];
        _backward = new IndirectPass[geometry.Groups];
        for (int g = 0; g < geometry.Groups; g++)
        {
            _forward[g] = new IndirectPass(input, output, inputStride, outputStride, forward);
            _backward[g] = new IndirectPass(output, input, outputStride, inputStride, backward);
        }

        _gradient = new WeightGradientPass(geometry, inputStride, outputStride);
    }

    /// <param name="weights">(K, C/groups, R, S).</param>
    /// <param name="bias">(K), or empty for none.</param>
    public void Load(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        int filters = _geometry.FiltersPerGroup;
        int filter = _geometry.FilterCount;
        for (int g = 0; g < _geometry.Groups; g++)
        {
            ReadOnlySpan<float> group = weights.Slice(g * filters * filter, filters * filter);
            _forward[g].Load(group, filter, _geometry.Taps, bias.IsEmpty ? bias : bias.Slice(g * filters, filters));
            _backward[g].Load(group, _geometry.Taps, filter, []);
        }
    }

    /// <summary>y = convolution of x, for samples 0 … samples−1.</summary>
    public void Forward(Activation x, Activation y, int samples, ThreadTeam team) => Run(_forward, x, _groupInput, y, _groupOutput, samples, team);

    /// <summary>dx = ∂loss/∂x, overwritten.</summary>
    public void BackwardData(Activation dy, Activation dx, int samples, ThreadTeam team) =>
        Run(_backward, dy, _groupOutput, dx, _groupInput, samples, team);

    /// <param name="rootOfWeights">Where the sums of a root of the plan go: (K, C/groups, R, S), overwritten.</param>
    /// <param name="rootOfBias">The same for (K), or null.</param>
    public void BackwardWeights(
        Activation x, Activation dy, ShardPlan plan, Func<int, float[]> rootOfWeights, Func<int, float[]>? rootOfBias, ThreadTeam team)
    {
        for (int g = 0; g < _geometry.Groups; g++)
        {
            float* source = Enter(x, _groupInput, g, plan.Samples, team);
            float* gradient = Enter(dy, _groupOutput, g, plan.Samples, team);
            _gradient.Run(source, gradient, plan, rootOfWeights, rootOfBias, g * _geometry.FiltersPerGroup, team);
        }
    }

    private void Run(
        IndirectPass[] passes, Activation source, Activation? groupSource, Activation destination, Activation? groupDestination, int samples, ThreadTeam team)
    {
        for (int g = 0; g < passes.Length; g++)
        {
            float* from = Enter(source, groupSource, g, samples, team);
            if (groupDestination is null)
            {
                int blocksPerGroup = destination.Shape.C / passes.Length / 8;
                passes[g].Run(from, destination.Data + (long)g * blocksPerGroup * destination.Shape.Area * 8, samples, team);
            }
            else
            {
                passes[g].Run(from, groupDestination.Data, samples, team);
                _groups!.Scatter(groupDestination, destination, g * groupDestination.Shape.C, samples, team);
            }
        }
    }

    /// <summary>The first block of a group: in place if the group starts a block, else gathered.</summary>
    private float* Enter(Activation whole, Activation? scratch, int group, int samples, ThreadTeam team)
    {
        if (scratch is null)
        {
            int blocksPerGroup = whole.Shape.C / _geometry.Groups / 8;
            return whole.Data + (long)group * blocksPerGroup * whole.Shape.Area * 8;
        }

        _groups!.Gather(whole, scratch, group * scratch.Shape.C, samples, team);
        return scratch.Data;
    }
}
