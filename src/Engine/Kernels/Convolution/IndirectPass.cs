using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// A direct convolution as gathers: forward and backward data differ only in which source pixel each output pixel starts from, and
/// in how the weights are packed. The source of a work item is copied once into a frame of zeros in the thread's cache.
/// </summary>
internal sealed unsafe class IndirectPass<T>
    where T : struct, IFloats<T>
{
    private const int MinPixels = 24;
    private const double MaxIdleShare = 0.04;

    private readonly int _sourceChannels;
    private readonly int _destinationChannels;
    private readonly int _sourceStride;
    private readonly int _destinationStride;
    private readonly int _destinationPlane;
    private readonly int _samplesPerItem;
    private readonly PaddedPlanes _planes;
    private readonly IndirectTables[] _tables;
    private WeightPanels<T>[] _weights;
    private AlignedBuffer _bias;
    private readonly Action<int, int> _item;
    private float* _source;
    private float* _destination;
    private int _samples;
    private Action<int>? _finished;

    /// <param name="source">Channels of one group, height, width.</param>
    /// <param name="destination">Channels of one group, height, width.</param>
    /// <param name="sourceStride">Floats from one sample to the next.</param>
    /// <param name="destinationStride">Floats from one sample to the next.</param>
    public IndirectPass(Shape source, Shape destination, int sourceStride, int destinationStride, IndirectPhase[] phases)
    {
        _sourceChannels = source.C;
        _destinationChannels = destination.C;
        _sourceStride = sourceStride;
        _destinationStride = destinationStride;
        _destinationPlane = destination.Area * 8;
        _planes = IndirectPhase.Frame(phases, source);
        _samplesPerItem = SamplesPerItem(destination.Area / phases.Length);
        _bias = new AlignedBuffer(Panels * PanelChannels);
        int stride = _planes.IsPlain ? sourceStride : checked(source.Blocks * _planes.Stride);
        _tables = [.. phases.Select(phase => new IndirectTables(phase, source.C, _planes, stride, destinationStride, _samplesPerItem))];
        _weights = [.. phases.Select(phase => new WeightPanels<T>(source.C, destination.C, [.. phase.Taps.Select(t => t.Weight)]))];
        _item = Item;
    }

    private static int PanelChannels => 2 * T.Count;

    private int Panels => (_destinationChannels + PanelChannels - 1) / PanelChannels;

    /// <param name="weights">
    /// The weight from source channel i to destination channel o at tap t lies at first + o·outStride + i·inStride + t. Must keep its
    /// values until the pass has run.
    /// </param>
    /// <param name="bias">One for each destination channel, or empty.</param>
    public void Load(float[] weights, int first, int outStride, int inStride, ReadOnlySpan<float> bias)
    {
        foreach (WeightPanels<T> panels in _weights)
        {
            panels.Load(weights, first, outStride, inStride);
        }

        // Evaluation loads the bias of a folded batch norm; training after it has none.
        var stored = new Span<float>(_bias.Data, _destinationChannels);
        stored.Clear();
        bias.CopyTo(stored);
    }

    /// <inheritdoc cref="ConvolutionKernel.Share"/>
    public void Share(IndirectPass<T> loaded, ThreadTeam team)
    {
        (_weights, _bias) = (loaded._weights, loaded._bias);
        foreach (WeightPanels<T> panels in _weights)
        {
            panels.Prepare(team);
        }
    }

    /// <param name="source">First block of the group in sample 0.</param>
    /// <param name="destination">First block of the group in sample 0.</param>
    /// <param name="finished">Called with each sample that is complete, on the thread that has it in its cache.</param>
    public void Run(float* source, float* destination, int samples, ThreadTeam team, Action<int>? finished)
    {
        foreach (WeightPanels<T> panels in _weights)
        {
            panels.Prepare(team);
        }

        _source = source;
        _destination = destination;
        _samples = samples;
        _finished = finished;
        team.Run((samples + _samplesPerItem - 1) / _samplesPerItem, _item);
    }

    /// <summary>As few samples as fill the tiles: small images share tiles.</summary>
    private static int SamplesPerItem(int pixels)
    {
        for (int samples = Math.Max(1, MinPixels / Math.Max(1, pixels)); ; samples++)
        {
            int count = Math.Max(1, samples * pixels);
            int idle = (TileKernel.Pixels - count % TileKernel.Pixels) % TileKernel.Pixels;
            if (idle <= MaxIdleShare * count)
            {
                return samples;
            }
        }
    }

    private void Item(int item, int thread)
    {
        int first = item * _samplesPerItem;
        int samples = Math.Min(_samplesPerItem, _samples - first);
        float* source = _source + (long)first * _sourceStride;
        if (!_planes.IsPlain)
        {
            source = Pad(source, samples);
        }

        for (int phase = 0; phase < _tables.Length; phase++)
        {
            for (int panel = 0; panel < Panels; panel++)
            {
                int left = _destinationChannels - panel * PanelChannels;
                TileKernel.Job job = _tables[phase].Job(samples);
                job.Source = source;
                job.Destination = _destination + (long)first * _destinationStride + panel * (PanelChannels / 8L) * _destinationPlane;
                job.VectorStep = TileKernel.Width<T>(left) / 16 * _destinationPlane;
                job.Plane = _destinationPlane;
                job.LastPlane = (Math.Min(left, PanelChannels) + 7) / 8 % 2 == 0 ? _destinationPlane : 0;
                job.Weights = _weights[phase].Panel(panel);
                job.Bias = _bias.Data + panel * PanelChannels;
                TileKernel.Run<T>(in job, left);
            }
        }

        for (int n = first; _finished != null && n < first + samples; n++)
        {
            _finished(n);
        }
    }

    private float* Pad(float* source, int samples)
    {
        int blocks = (_sourceChannels + 7) / 8;
        long stride = (long)blocks * _planes.Stride;
        float* padded = ThreadScratch.Floats(0, samples * stride);
        for (int n = 0; n < samples; n++)
        {
            _planes.Copy(source + (long)n * _sourceStride, padded + n * stride, blocks);
        }

        return padded;
    }
}
