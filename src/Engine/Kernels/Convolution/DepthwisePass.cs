using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// Forward or backward data of a depthwise convolution: the gathers of an <see cref="IndirectPass{T}"/>, channel by channel. A work item
/// is a sample, one block of 8 channels after the other.
/// </summary>
internal sealed unsafe class DepthwisePass
{
    private readonly IndirectPhase[] _phases;
    private readonly IndirectTables[] _tables;
    private readonly PaddedPlanes _planes;
    private readonly int _channels;
    private AlignedBuffer[] _weights;
    private AlignedBuffer _bias;
    private readonly Action<int, int> _item;
    private Activation _source = null!;
    private Activation _destination = null!;
    private Action<int>? _finished;

    public DepthwisePass(Shape source, IndirectPhase[] phases)
    {
        _phases = phases;
        _channels = source.C;
        _planes = IndirectPhase.Frame(phases, source);
        _tables = [.. phases.Select(phase => new IndirectTables(phase, 8, _planes, 0, 0, 1))];
        _weights = [.. phases.Select(phase => new AlignedBuffer(source.Blocks * phase.Taps.Length * 8L))];
        _bias = new AlignedBuffer(source.Blocks * 8);
        _item = Item;
    }

    /// <param name="weights">(C, 1, R, S).</param>
    /// <param name="bias">(C), or empty.</param>
    public void Load(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        int taps = weights.Length / _channels;
        for (int phase = 0; phase < _phases.Length; phase++)
        {
            (int Y, int X, int Weight)[] used = _phases[phase].Taps;
            for (int i = 0; i < _channels * used.Length; i++)
            {
                (int channel, int tap) = (i / used.Length, i % used.Length);
                _weights[phase].Data[(channel / 8 * used.Length + tap) * 8 + channel % 8] = weights[channel * taps + used[tap].Weight];
            }
        }

        var stored = new Span<float>(_bias.Data, _channels);
        stored.Clear();
        bias.CopyTo(stored);
    }

    /// <inheritdoc cref="ConvolutionKernel.Share"/>
    public void Share(DepthwisePass loaded) => (_weights, _bias) = (loaded._weights, loaded._bias);

    public void Run(Activation source, Activation destination, int samples, ThreadTeam team, Action<int>? finished)
    {
        (_source, _destination, _finished) = (source, destination, finished);
        team.Run(samples, _item);
    }

    private void Item(int n, int thread)
    {
        int plane = _source.Shape.Area * 8;
        for (int block = 0; block < _source.Shape.Blocks; block++)
        {
            float* source = _source.Sample(n) + (long)block * plane;
            if (!_planes.IsPlain)
            {
                float* padded = ThreadScratch.Floats(0, _planes.Stride);
                _planes.Copy(source, padded, 1);
                source = padded;
            }

            for (int phase = 0; phase < _tables.Length; phase++)
            {
                TileKernel.Job job = _tables[phase].Job(1);
                job.Source = source;
                job.Destination = _destination.Sample(n) + (long)block * _destination.Shape.Area * 8;
                job.Weights = _weights[phase].Data + block * job.FullTaps * 8;
                job.Bias = _bias.Data + block * 8;
                DepthwiseKernel.Run(in job);
            }
        }

        _finished?.Invoke(n);
    }
}
