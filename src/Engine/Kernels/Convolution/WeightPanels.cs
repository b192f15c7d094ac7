using System.Runtime.CompilerServices;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// Weights in the order in which tiles read them: [panel][input block][tap][input channel of the block][output of the
/// panel]; a panel holds two vectors of outputs, the last one 16 where that is enough. They are packed when a pass first runs after a
/// <see cref="Load"/>, on all threads: a pass that never runs costs neither time nor memory.
/// </summary>
internal sealed unsafe class WeightPanels<T>
    where T : struct, IFloats<T>
{
    /// <summary>Input channels of one work item: a multiple of 8.</summary>
    private const int ChannelsPerItem = 128;

    private readonly int _sourceChannels;
    private readonly int _destinationChannels;
    private readonly int[] _weightOfTap;
    private readonly int _linesOfPanel;
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
        _linesOfPanel = checked(sourceChannels * weightOfTap.Length);
        _item = Item;
    }

    public int Count => (_destinationChannels + PanelChannels - 1) / PanelChannels;

    private static int PanelChannels => 2 * T.Count;

    private int ItemsPerPanel => (_sourceChannels + ChannelsPerItem - 1) / ChannelsPerItem;

    /// <inheritdoc cref="IndirectPass{T}.Load"/>
    public void Load(float[] weights, int first, int outStride, int inStride) =>
        (_weights, _first, _outStride, _inStride) = (weights, first, outStride, inStride);

    /// <summary>Call before <see cref="Panel"/>.</summary>
    public void Prepare(ThreadTeam team)
    {
        if (_weights is not null)
        {
            int last = TileKernel.Width<T>(_destinationChannels - (Count - 1) * PanelChannels);
            _packed ??= new AlignedBuffer(((Count - 1L) * PanelChannels + last) * _linesOfPanel);
            team.Run(Count * ItemsPerPanel, _item);
            _weights = null;
        }
    }

    public float* Panel(int panel) => _packed!.Data + (long)panel * PanelChannels * _linesOfPanel;

    private void Item(int item, int thread)
    {
        int panel = item / ItemsPerPanel;
        int channel = item % ItemsPerPanel * ChannelsPerItem;
        int end = Math.Min(_sourceChannels, channel + ChannelsPerItem);
        int left = _destinationChannels - panel * PanelChannels;
        for (; channel < end; channel++)
        {
            PackChannel(_weights.AsSpan(_first + panel * PanelChannels * _outStride + channel * _inStride), left, channel, Panel(panel));
        }
    }

    /// <summary>One input channel of a panel: the lines that it writes stay in the first-level cache. Missing outputs keep zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackChannel(ReadOnlySpan<float> weights, int outputsLeft, int channel, float* panel)
    {
        int block = channel & ~7;
        int width = TileKernel.Width<T>(outputsLeft);
        int step = Math.Min(8, _sourceChannels - block) * width;
        float* lines = panel + (block * _weightOfTap.Length + channel - block) * width;
        for (int o = 0; o < Math.Min(width, outputsLeft); o++)
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
