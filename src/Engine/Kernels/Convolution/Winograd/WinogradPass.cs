using System.Runtime.CompilerServices;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution.Winograd;

/// <summary>
/// Forward or backward data of a convolution with stride 1. For a chunk of tiles: every block of input channels goes to points,
/// every point is a matrix product of its own (tiles × input channels by input × output channels, on <see cref="TileKernel"/>), and every
/// block of output channels goes from points to pixels. A tile's result doesn't depend on its neighbours, so chunks may be cut freely.
/// Each thread takes some samples, chunk by chunk, through all three. Where the filters are too large for its cache and a sample has few tiles,
/// a larger chunk is shared by all threads instead, so that the filters are read once for many samples.
/// </summary>
internal sealed unsafe class WinogradPass<TInput, TOutput, TFilter, T>
    where TInput : struct, ILineTransform
    where TOutput : struct, ILineTransform
    where TFilter : struct, ILineTransform
    where T : struct, IFloats<T>
{
    /// <summary>Floats of filter points that are cheap to read again for each chunk of one thread.</summary>
    private const long SmallFilters = 1 << 19;

    /// <summary>Tiles of a shared chunk: enough that reading the filters once for them costs little.</summary>
    private const int SharedTiles = 192;

    /// <summary>Tiles of a chunk: enough for the products, few enough for the cache.</summary>
    private const int MinTiles = 24;
    private const int MaxTiles = 54;

    /// <summary>Of an item, so that small batches make enough items for all threads.</summary>
    private const int MaxSamples = 8;

    /// <summary>Of one point, 128 output channels.</summary>
    private static readonly int PanelsPerItem = 64 / T.Count;

    private readonly Shape _source;
    private readonly Shape _destination;
    private readonly Tiling _tiling;
    private readonly FilterPoints<TFilter, T> _filters;
    private readonly bool _shared;
    private readonly int _maxSamples;
    private readonly int _maxRows;
    private readonly int[] _offsets;
    private readonly int[] _taps;
    private readonly AlignedBuffer _zeros = new(2 * T.Count);
    private readonly Action<int, int> _samplesItem;
    private readonly Action<int, int> _toPoints;
    private readonly Action<int, int> _multiply;
    private readonly Action<int, int> _fromPoints;

    // The pass in progress.
    private Activation _from = null!;
    private Activation _to = null!;
    private float* _filterPoints;
    private float* _bias;
    private Action<int>? _finished;
    private int _samples;
    private int _rowsPerChunk;
    private Chunk _sharedChunk;

    /// <summary>Some rows of tiles in points; all tiles of a vector of channels lie side by side.</summary>
    private readonly struct Chunk(int first, int end, int tiles, nint sourceStep, nint destinationStep, float* source, float* destination)
    {
        public readonly int First = first;
        public readonly int End = end;
        public readonly int Tiles = tiles;
        public readonly nint SourceStep = sourceStep;
        public readonly nint DestinationStep = destinationStep;
        public readonly float* Source = source;
        public readonly float* Destination = destination;
    }

    /// <param name="padding">Zeros around the source.</param>
    public WinogradPass(Shape source, Shape destination, Size padding, FilterPoints<TFilter, T> filters)
    {
        _source = source;
        _destination = destination;
        _filters = filters;
        _tiling = Tiling.Of(TInput.Inputs, TOutput.Outputs, padding, source, destination);
        _shared = filters.Length > SmallFilters && _tiling.Count <= 4;
        _maxRows = _shared ? SharedTiles / _tiling.Count * _tiling.Rows : RowsPerChunk(_tiling.Columns);
        _maxSamples = SamplesPerItem(_maxRows, _tiling.Rows);
        _offsets = GC.AllocateArray<int>(RoundUp(_maxRows * _tiling.Columns), pinned: true);
        for (int i = 0; i < _offsets.Length; i++)
        {
            _offsets[i] = T.Count * i;
        }

        _taps = GC.AllocateUninitializedArray<int>(source.Blocks, pinned: true);
        (_samplesItem, _toPoints, _multiply, _fromPoints) = (RunSamples, ToPoints, Multiply, FromPoints);
    }

    private static int Points => TInput.Outputs * TInput.Outputs;

    private int PanelItems => (_filters.Panels + PanelsPerItem - 1) / PanelsPerItem;

    /// <param name="bias">One for each lane of the output channels, or null.</param>
    public void Run(Activation from, Activation to, int samples, float* filterPoints, float* bias, ThreadTeam team, Action<int>? finished)
    {
        (_from, _to, _samples, _finished) = (from, to, samples, finished);
        _bias = bias;
        _filterPoints = filterPoints;
        int rows = samples * _tiling.Rows;
        int chunks = Math.Max(1, (rows + _maxRows - 1) / _maxRows);
        _rowsPerChunk = _shared ? (samples + chunks - 1) / chunks * _tiling.Rows : _maxRows;
        int tiles = RoundUp(_rowsPerChunk * _tiling.Columns);
        for (int block = 0; block < _taps.Length; block++)
        {
            (int vector, int blockOfVector) = Math.DivRem(block, T.Count / 8);
            _taps[block] = vector * T.Count * tiles + 8 * blockOfVector;
        }

        if (!_shared)
        {
            team.Run((samples + _maxSamples - 1) / _maxSamples, _samplesItem);
            return;
        }

        for (int first = 0; first < rows; first += _rowsPerChunk)
        {
            _sharedChunk = Reserve(first, Math.Min(first + _rowsPerChunk, rows));
            int chunkSamples = (_sharedChunk.End - first) / _tiling.Rows;
            team.Run(Vectors(_source) * chunkSamples, _toPoints);
            team.Run(Points * PanelItems, _multiply);
            team.Run(chunkSamples, _fromPoints);
        }
    }

    private static int Vectors(Shape shape) => (shape.C + T.Count - 1) / T.Count;

    /// <summary>From the first block of a vector to its second, or 0 if it has none.</summary>
    private static nint Plane(Shape shape, int vector) => (vector + 1) * (T.Count / 8) <= shape.Blocks ? 8 * shape.Area : 0;

    private static int RoundUp(int tiles) => (tiles + TileKernel.Pixels - 1) / TileKernel.Pixels * TileKernel.Pixels;

    /// <summary>Of the numbers that make a chunk of the right size, the first that leaves the fewest of the products' tiles idle.</summary>
    private static int RowsPerChunk(int columns)
    {
        int best = Math.Max(1, MinTiles / columns);
        for (int rows = best + 1; rows * columns <= MaxTiles; rows++)
        {
            if (Idle(rows * columns) * best < Idle(best * columns) * rows)
            {
                best = rows;
            }
        }

        return best;

        static int Idle(int tiles) => RoundUp(tiles) - tiles;
    }

    /// <summary>As few whole samples as fill whole chunks, within bounds.</summary>
    private static int SamplesPerItem(int rowsPerChunk, int rows)
    {
        int samples = Math.Max(1, rowsPerChunk / rows);
        while (samples < MaxSamples && samples * rows % rowsPerChunk != 0)
        {
            samples++;
        }

        return samples;
    }

    /// <summary>A chunk in the scratch memory of the calling thread.</summary>
    private Chunk Reserve(int first, int end)
    {
        int tiles = RoundUp(_rowsPerChunk * _tiling.Columns);
        nint sourceStep = T.Count * (nint)tiles * Vectors(_source) + 16;
        nint destinationStep = T.Count * (nint)tiles * 2 * _filters.Panels + 16;
        return new Chunk(
            first, end, tiles, sourceStep, destinationStep,
            ThreadScratch.Floats(0, Points * sourceStep), ThreadScratch.Floats(1, Points * destinationStep));
    }

    private void RunSamples(int item, int thread)
    {
        int first = item * _maxSamples * _tiling.Rows;
        int end = Math.Min(_samples, (item + 1) * _maxSamples) * _tiling.Rows;
        for (; first < end; first += _rowsPerChunk)
        {
            RunChunk(Reserve(first, Math.Min(end, first + _rowsPerChunk)));
        }
    }

    private void RunChunk(in Chunk chunk)
    {
        int rows;
        for (int row = chunk.First; row < chunk.End; row += rows)
        {
            rows = Math.Min(chunk.End - row, _tiling.Rows - row % _tiling.Rows);
            for (int vector = 0; vector < Vectors(_source); vector++)
            {
                ToPoints(chunk, row, rows, vector);
            }
        }

        for (int item = 0; item < Points * PanelItems; item++)
        {
            Multiply(chunk, item);
        }

        for (int row = chunk.First; row < chunk.End; row += rows)
        {
            rows = Math.Min(chunk.End - row, _tiling.Rows - row % _tiling.Rows);
            FromPoints(chunk, row, rows);
        }
    }

    private void ToPoints(int item, int thread) =>
        ToPoints(_sharedChunk, _sharedChunk.First + item / Vectors(_source) * _tiling.Rows, _tiling.Rows, item % Vectors(_source));

    private void Multiply(int item, int thread) => Multiply(_sharedChunk, item);

    private void FromPoints(int item, int thread) => FromPoints(_sharedChunk, _sharedChunk.First + item * _tiling.Rows, _tiling.Rows);

    /// <summary>Some rows of tiles of one sample.</summary>
    private void ToPoints(in Chunk chunk, int row, int rows, int vector)
    {
        long length = T.Count * _tiling.Length(rows);
        float* band = ThreadScratch.Floats(2, length + (long)T.Count * TInput.Outputs * _tiling.Width);
        float* blocks = _from.Sample(row / _tiling.Rows) + (long)vector * T.Count * _source.Area;
        _tiling.Copy<T>(blocks, Plane(_source, vector), row % _tiling.Rows, rows, band);
        float* points = chunk.Source + T.Count * ((nint)vector * chunk.Tiles + (nint)(row - chunk.First) * _tiling.Columns);
        PlaneTransform.ToPoints<TInput, T>(
            band, _tiling.Width, rows, _tiling.Columns, _tiling.Size, band + length, points, chunk.SourceStep, T.Count);
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
                int left = _destination.C - 2 * T.Count * panel;
                var job = new TileKernel.Job
                {
                    Source = chunk.Source + point * chunk.SourceStep,
                    SourceOffsets = offsets,
                    Destination = chunk.Destination + point * chunk.DestinationStep + 2 * T.Count * (nint)panel * chunk.Tiles,
                    DestinationOffsets = offsets,
                    VectorStep = TileKernel.Width<T>(left) == 2 * T.Count ? T.Count * chunk.Tiles : 8,
                    Plane = 8,
                    LastPlane = 8,
                    PixelCount = RoundUp((chunk.End - chunk.First) * _tiling.Columns),
                    Weights = _filterPoints + (nint)point * _filters.PointStep + (nint)panel * _filters.PanelStep,
                    Bias = _zeros.Data,
                    Taps = taps,
                    FullTaps = _taps.Length,
                };
                TileKernel.Run<T>(in job, left);
            }
        }
    }

    /// <summary>Some rows of tiles of one sample, which is complete with its last row.</summary>
    private void FromPoints(in Chunk chunk, int row, int rows)
    {
        float* lines = ThreadScratch.Floats(2, (long)T.Count * TOutput.Outputs * (TOutput.Inputs + 1));
        int sample = row / _tiling.Rows;
        int top = row % _tiling.Rows * TOutput.Outputs;
        int height = Math.Min(rows * TOutput.Outputs, _destination.H - top);
        for (int vector = 0; vector < Vectors(_destination); vector++)
        {
            float* image = _to.Sample(sample) + (long)vector * T.Count * _destination.Area + 8L * top * _destination.W;
            float* points = chunk.Destination + T.Count * ((nint)vector * chunk.Tiles + (nint)(row - chunk.First) * _tiling.Columns);
            nint plane = Plane(_destination, vector);
            PlaneTransform.FromPoints<TOutput, T>(points, chunk.DestinationStep, T.Count, lines, image, plane, height, _destination.W);
        }

        for (int block = 0; _bias != null && block < _destination.Blocks; block++)
        {
            float* image = _to.Sample(sample) + 8 * ((long)block * _destination.Area + (long)top * _destination.W);
            Add(Floats8.Load(_bias + 8 * block), image, height * _destination.W);
        }

        if (top + height == _destination.H)
        {
            _finished?.Invoke(sample);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(Floats8 bias, float* image, int pixels)
    {
        for (float* end = image + 8L * pixels; image < end; image += 8)
        {
            (Floats8.Load(image) + bias).Store(image);
        }
    }
}
