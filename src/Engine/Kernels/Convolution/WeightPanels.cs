using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// Weights in the order in which tiles read them: [panel of 16 outputs][input block][tap][input channel of the block][16]. They are
/// packed when a pass first runs after a <see cref="Load"/>, on all threads: a pass that never runs costs neither time nor memory.
/// </summary>
internal sealed unsafe class WeightPanels
{
    /// <summary>Input channels of one work item: a multiple of 8.</summary>
    private const int ChannelsPerItem = 128;

    private readonly int _sourceChannels;
    private readonly int _destinationChannels;
    private readonly int[] _weightOfTap;
    private readonly int _panelLength;
    private readonly Action<int, int> _item;
    private AlignedBuffer? _packed;
    private float[]? _weights;
    private int _first;
    private int _outStride;
    private int _inStride;

    /// <param name="weightOfTap">Where in a filter each tap finds its weight.</param>
    public WeightPanels(int sourceChannels, int destinationChannels, int[] weightOfTap)
    {
        _sourceChannels = sourceChannels;
        _destinationChannels = destinationChannels;
        _weightOfTap = weightOfTap;
        _panelLength = checked(sourceChannels * weightOfTap.Length * 16);
        _item = Item;
    }

    public int Count => (_destinationChannels + 15) / 16;

    private int ItemsPerPanel => (_sourceChannels + ChannelsPerItem - 1) / ChannelsPerItem;

    /// <inheritdoc cref="IndirectPass.Load"/>
    public void Load(float[] weights, int first, int outStride, int inStride) =>
        (_weights, _first, _outStride, _inStride) = (weights, first, outStride, inStride);

    /// <summary>Call before <see cref="Panel"/>.</summary>
    public void Prepare(ThreadTeam team)
    {
        if (_weights is not null)
        {
            _packed ??= new AlignedBuffer((long)Count * _panelLength);
            team.Run(Count * ItemsPerPanel, _item);
            _weights = null;
        }
    }

    public float* Panel(int panel) => _packed!.Data + (long)panel * _panelLength;

    private void Item(int item, int thread)
    {
        int panel = item / ItemsPerPanel;
        int channel = item % ItemsPerPanel * ChannelsPerItem;
        int end = Math.Min(_sourceChannels, channel + ChannelsPerItem);
        int outputs = Math.Min(16, _destinationChannels - 16 * panel);
        for (; channel < end; channel++)
        {
            PackChannel(_weights.AsSpan(_first + 16 * panel * _outStride + channel * _inStride), outputs, channel, Panel(panel));
        }
    }

    /// <summary>One input channel of a panel: the lines that it writes stay in the first-level cache. Missing outputs keep zeros.</summary>
    private void PackChannel(ReadOnlySpan<float> weights, int outputs, int channel, float* panel)
    {
        int block = channel & ~7;
        int step = Math.Min(8, _sourceChannels - block) * 16;
        float* lines = panel + (block * _weightOfTap.Length + channel - block) * 16;
        for (int o = 0; o < outputs; o++)
        {
            ReadOnlySpan<float> filter = weights[(o * _outStride)..];
            float* packed = lines + o;
            foreach (int tap in _weightOfTap)
            {
                *packed = filter[tap];
                packed += step;
            }
        }
    }
}
