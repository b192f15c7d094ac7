using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>Moves the channels of a group that doesn't fill whole blocks into an activation of its own, and back.</summary>
internal sealed unsafe class ChannelGroups : IDisposable
{
    private readonly Activation?[] _scratch = new Activation?[4];
    private readonly Action<int, int> _gather;
    private readonly Action<int, int> _scatter;
    private Activation _whole = null!;
    private Activation _group = null!;
    private int _firstChannel;
    private Action<int>? _finished;

    public ChannelGroups()
    {
        _gather = GatherSample;
        _scatter = ScatterSample;
    }

    /// <summary>Room for one group of an activation like <paramref name="whole"/>; two slots, each for inputs and for outputs.</summary>
    public Activation Scratch(int slot, Activation whole, int groups)
    {
        Shape shape = whole.Shape with { C = whole.Shape.C / groups };
        for (int i = slot; i < _scratch.Length; i += 2)
        {
            Activation? scratch = _scratch[i];
            if (scratch is null || scratch.Shape == shape)
            {
                if (scratch is null || scratch.Capacity < whole.Capacity)
                {
                    scratch?.Dispose();
                    _scratch[i] = scratch = new Activation(shape, whole.Capacity);
                }

                return scratch;
            }
        }

        throw new InvalidOperationException($"groups of {shape}: a layer has one input and one output shape.");
    }

    /// <summary>group's channel c = whole's channel firstChannel + c.</summary>
    public void Gather(Activation whole, Activation group, int firstChannel, int samples, ThreadTeam team)
    {
        (_whole, _group, _firstChannel) = (whole, group, firstChannel);
        team.Run(samples, _gather);
    }

    /// <summary>whole's channel firstChannel + c = group's channel c; other channels stay.</summary>
    /// <param name="finished">Called with each sample after its channels have moved, on the thread that moved them.</param>
    public void Scatter(Activation group, Activation whole, int firstChannel, int samples, ThreadTeam team, Action<int>? finished)
    {
        _finished = finished;
        (_whole, _group, _firstChannel) = (whole, group, firstChannel);
        team.Run(samples, _scatter);
    }

    public void Dispose()
    {
        foreach (Activation? scratch in _scratch)
        {
            scratch?.Dispose();
        }
    }

    private void GatherSample(int n, int thread)
    {
        for (int c = 0; c < _group.Shape.C; c++)
        {
            Copy(_whole.Data + _whole.Index(n, _firstChannel + c, 0, 0), _group.Data + _group.Index(n, c, 0, 0), _group.Shape.Area);
        }
    }

    private void ScatterSample(int n, int thread)
    {
        for (int c = 0; c < _group.Shape.C; c++)
        {
            Copy(_group.Data + _group.Index(n, c, 0, 0), _whole.Data + _whole.Index(n, _firstChannel + c, 0, 0), _group.Shape.Area);
        }

        _finished?.Invoke(n);
    }

    private static void Copy(float* source, float* destination, int pixels)
    {
        for (int i = 0; i < pixels; i++)
        {
            destination[i * 8] = source[i * 8];
        }
    }
}
