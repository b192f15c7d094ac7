namespace ConvNet.Engine.Kernels.Winograd;

/// <summary>
/// Forward or backward data of a 3×3 convolution with stride 1. For a chunk of samples: every block of input channels goes to points,
/// every point is a matrix product of its own (tiles × input channels by input × output channels, on <see cref="TileKernel"/>), and every
/// block of output channels goes from points to pixels. A tile's result doesn't depend on its neighbours, so chunks may be cut freely.
/// Small filters stay in a thread's cache: each thread takes a chunk of its own through all three. Large ones are read once for
/// a chunk that all threads share.
/// </summary>
internal sealed unsafe class WinogradPass<TInput, TOutput, TFilter>
    where TInput : struct, ILineTransform
    where TOutput : struct, ILineTransform
    where TFilter : struct, ILineTransform
{
    /// <summary>Floats of filter points that are cheap to read again for each chunk of one thread.</summary>
    private const long SmallFilters = 1 << 19;

    /// <summary>Tiles of a shared chunk: enough that reading the filters once for them costs little.</summary>
    private const int SharedTiles = 192;

    private const int MinTiles = 24;
    private const double MaxIdleShare = 0.05;
    private const int PanelsPerItem = 8;

    private readonly Shape _source;
    private readonly Shape _destination;
    private readonly Tiling _tiling;
    private readonly FilterPoints<TFilter> _filters;
    private readonly bool _shared;
    private readonly int _maxSamples;
    private readonly int[] _offsets;
    private readonly int[] _taps;
    private readonly AlignedBuffer _zeros = new(16);
    private readonly Action<int, int> _chunk;
    private readonly Action<int, int> _toPoints;
    private readonly Action<int, int> _multiply;
    private readonly Action<int, int> _fromPoints;

    // The pass in progress.
    private Activation _from = null!;
    private Activation _to = null!;
    private float* _filterPoints;
    private float[]? _bias;
    private Action<int>? _finished;
    private int _samples;
    private int _samplesPerChunk;
    private Chunk _sharedChunk;

    /// <summary>Some samples in points; all tiles of a block of 8 channels lie side by side.</summary>
    private readonly struct Chunk(int first, int samples, int tiles, nint sourceStep, nint destinationStep, float* source, float* destination)
    {
        public readonly int First = first;
        public readonly int Samples = samples;
        public readonly int Tiles = tiles;
        public readonly nint SourceStep = sourceStep;
        public readonly nint DestinationStep = destinationStep;
        public readonly float* Source = source;
        public readonly float* Destination = destination;
    }

    /// <param name="padding">Zeros around the source.</param>
    public WinogradPass(Shape source, Shape destination, Size padding, FilterPoints<TFilter> filters)
    {
        _source = source;
        _destination = destination;
        _filters = filters;
        _tiling = Tiling.Of(TInput.Inputs, TOutput.Outputs, padding, source, destination);
        _shared = filters.Length > SmallFilters && _tiling.Count <= 4;
        _maxSamples = _shared ? Math.Max(1, SharedTiles / _tiling.Count) : SamplesPerChunk(_tiling.Count);
        _offsets = GC.AllocateArray<int>(RoundUp(_maxSamples * _tiling.Count), pinned: true);
        for (int i = 0; i < _offsets.Length; i++)
        {
            _offsets[i] = 8 * i;
        }

        _taps = GC.AllocateUninitializedArray<int>(source.Blocks, pinned: true);
        (_chunk, _toPoints, _multiply, _fromPoints) = (RunChunk, ToPoints, Multiply, FromPoints);
    }

    private static int Points => TInput.Outputs * TInput.Outputs;

    private int PanelItems => (_filters.Panels + PanelsPerItem - 1) / PanelsPerItem;

    public void Run(Activation from, Activation to, int samples, float* filterPoints, float[]? bias, ThreadTeam team, Action<int>? finished)
    {
        (_from, _to, _samples, _bias, _finished) = (from, to, samples, bias, finished);
        _filterPoints = filterPoints;
        int chunks = (samples + _maxSamples - 1) / _maxSamples;
        _samplesPerChunk = _shared ? (samples + chunks - 1) / chunks : _maxSamples;
        int tiles = RoundUp(_samplesPerChunk * _tiling.Count);
        for (int block = 0; block < _taps.Length; block++)
        {
            _taps[block] = 8 * block * tiles;
        }

        if (!_shared)
        {
            team.Run(chunks, _chunk);
            return;
        }

        for (int chunk = 0; chunk < chunks; chunk++)
        {
            _sharedChunk = Reserve(chunk);
            team.Run(_source.Blocks * _sharedChunk.Samples, _toPoints);
            team.Run(Points * PanelItems, _multiply);
            team.Run(_sharedChunk.Samples, _fromPoints);
        }
    }

    private static int RoundUp(int tiles) => (tiles + TileKernel.Pixels - 1) / TileKernel.Pixels * TileKernel.Pixels;

    /// <summary>As few samples as fill the products' tiles.</summary>
    private static int SamplesPerChunk(int tiles)
    {
        int samples = Math.Max(1, MinTiles / tiles);
        while (RoundUp(samples * tiles) - samples * tiles > MaxIdleShare * samples * tiles)
        {
            samples++;
        }

        return samples;
    }

    /// <summary>A chunk in the scratch memory of the calling thread.</summary>
    private Chunk Reserve(int chunk)
    {
        int first = chunk * _samplesPerChunk;
        int samples = Math.Min(_samplesPerChunk, _samples - first);
        int tiles = RoundUp(_samplesPerChunk * _tiling.Count);
        nint sourceStep = 8 * (nint)tiles * _source.Blocks + 16;
        nint destinationStep = 8 * (nint)tiles * 2 * _filters.Panels + 16;
        return new Chunk(
            first, samples, tiles, sourceStep, destinationStep,
            ThreadScratch.Floats(0, Points * sourceStep), ThreadScratch.Floats(1, Points * destinationStep));
    }

    private void RunChunk(int index, int thread)
    {
        Chunk chunk = Reserve(index);
        for (int item = 0; item < _source.Blocks * chunk.Samples; item++)
        {
            ToPoints(chunk, item);
        }

        for (int item = 0; item < Points * PanelItems; item++)
        {
            Multiply(chunk, item);
        }

        for (int sample = 0; sample < chunk.Samples; sample++)
        {
            FromPoints(chunk, sample);
        }
    }

    private void ToPoints(int item, int thread) => ToPoints(_sharedChunk, item);

    private void Multiply(int item, int thread) => Multiply(_sharedChunk, item);

    private void FromPoints(int item, int thread) => FromPoints(_sharedChunk, item);

    private void ToPoints(in Chunk chunk, int item)
    {
        int sample = item / _source.Blocks;
        int block = item % _source.Blocks;
        PaddedPlanes frame = _tiling.Frame;
        float* padded = ThreadScratch.Floats(2, frame.Stride + 8L * TInput.Outputs * frame.PaddedW);
        frame.Copy(_from.Sample(chunk.First + sample) + 8L * block * _source.Area, padded, 1);
        float* points = chunk.Source + 8 * ((nint)block * chunk.Tiles + sample * _tiling.Count);
        PlaneTransform.ToPoints<TInput>(
            padded, frame.PaddedW, _tiling.Rows, _tiling.Columns, _tiling.Size, padded + frame.Stride, points, chunk.SourceStep, 8);
    }

    /// <summary>One point: some panels × all tiles of the chunk.</summary>
    private void Multiply(in Chunk chunk, int item)
    {
        int point = item / PanelItems;
        int first = item % PanelItems * PanelsPerItem;
        fixed (int* offsets = _offsets, taps = _taps)
        {
            for (int panel = first; panel < Math.Min(first + PanelsPerItem, _filters.Panels); panel++)
            {
                var job = new TileKernel.Job
                {
                    Source = chunk.Source + point * chunk.SourceStep,
                    SourceOffsets = offsets,
                    Destination = chunk.Destination + point * chunk.DestinationStep + 16 * (nint)panel * chunk.Tiles,
                    DestinationOffsets = offsets,
                    DestinationPlane = 8 * chunk.Tiles,
                    PixelCount = RoundUp(chunk.Samples * _tiling.Count),
                    Weights = _filterPoints + (nint)point * _filters.PointStep + (nint)panel * _filters.PanelStep,
                    Bias = _zeros.Data,
                    Taps = taps,
                    FullTaps = _taps.Length,
                };
                TileKernel.Run16(in job);
            }
        }
    }

    private void FromPoints(in Chunk chunk, int sample)
    {
        float* lines = ThreadScratch.Floats(2, 8L * TOutput.Outputs * (TOutput.Inputs + 1));
        float* image = _to.Sample(chunk.First + sample);
        for (int block = 0; block < _destination.Blocks; block++, image += 8 * _destination.Area)
        {
            float* points = chunk.Destination + 8 * ((nint)block * chunk.Tiles + sample * _tiling.Count);
            PlaneTransform.FromPoints<TOutput>(points, chunk.DestinationStep, 8, lines, image, _destination.H, _destination.W);
            if (_bias is not null)
            {
                AddBias(image, block);
            }
        }

        _finished?.Invoke(chunk.First + sample);
    }

    private void AddBias(float* image, int block)
    {
        int channels = Math.Min(8, _destination.C - 8 * block);
        for (int pixel = 0; pixel < _destination.Area; pixel++)
        {
            for (int lane = 0; lane < channels; lane++)
            {
                image[8 * pixel + lane] += _bias![8 * block + lane];
            }
        }
    }
}
