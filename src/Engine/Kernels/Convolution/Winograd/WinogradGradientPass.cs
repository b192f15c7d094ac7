using System.Runtime.CompilerServices;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution.Winograd;

/// <summary>
/// dWeight and dBias of a convolution with stride 1. x and dy go to points a few rows of tiles at a time, every point sums the products
/// of its tiles on <see cref="GradientKernel"/>, and at the end of each shard the sums go from points to taps. Work is cut into groups of
/// up to 64 × 64 channels whose sums stay in the second-level cache; where there are few groups, their shards are items of their own.
/// Rows are counted from the shard's first sample, so the order of every sum follows from geometry and shard.
/// </summary>
internal sealed unsafe class WinogradGradientPass<TInput, TOutputGradient, TFilterGradient, T>
    where TInput : struct, ILineTransform
    where TOutputGradient : struct, ILineTransform
    where TFilterGradient : struct, ILineTransform
    where T : struct, IFloats<T>
{
    private const int GroupChannels = 64;

    /// <summary>Vectors between the transforms of columns and of rows, for the largest filters, 5×5.</summary>
    private const int MaxLines = 30;

    /// <summary>Fewer groups than this would leave threads idle.</summary>
    private const int ManyGroups = 8;

    /// <summary>Bounds the memory of the leaves.</summary>
    private const int MaxLeaves = 16;

    private readonly Shape _input;
    private readonly Shape _output;
    private readonly Tiling _inputTiling;
    private readonly Tiling _gradientTiling;
    private readonly int _rowsPerChunk;
    private readonly int _tiles;
    private readonly int[] _tileOffsets;
    private readonly int[] _pairOffsets;
    private readonly int _inputGroup;
    private readonly int _outputGroup;
    private readonly int _panels;
    private readonly nint _inputStep;
    private readonly nint _outputStep;
    private readonly nint _sumStep;
    private readonly Action<int, int> _group;
    private readonly Action<int, int> _leaf;
    private readonly Action<int, int> _reduce;
    private readonly PerThread<GradientTree> _trees = new(() => new GradientTree());
    private float[] _leaves = [];

    // The pass in progress.
    private Activation _x = null!;
    private Activation _dy = null!;
    private ShardPlan _plan = null!;
    private Func<int, float[]> _rootOfWeights = null!;
    private Func<int, float[]>? _rootOfBias;

    /// <param name="padding">Zeros around the input.</param>
    public WinogradGradientPass(Shape input, Shape output, Size padding)
    {
        _input = input;
        _output = output;
        _inputTiling = Tiling.Of(TInput.Inputs, TOutputGradient.Inputs, padding, input, output);
        _gradientTiling = Tiling.Of(TOutputGradient.Inputs, TOutputGradient.Inputs, 0, output, output);
        _rowsPerChunk = _inputTiling.GradientRows;
        _inputGroup = Math.Min(GroupChannels, 8 * input.Blocks);
        _outputGroup = Math.Min(GroupChannels, (output.C + 15) / 16 * 16);
        _panels = (_outputGroup + PanelChannels - 1) / PanelChannels;
        int tiles = _rowsPerChunk * _inputTiling.Columns;
        _tiles = tiles;
        _tileOffsets = Pinned(2 * tiles, i => i / 2 * (i % 2 == 0 ? T.Count : PanelChannels));
        _pairOffsets = Pinned(Pairs, channel => channel < _inputGroup ? channel / T.Count * T.Count * tiles + channel % T.Count : 0);

        // 64 bytes more than the data: powers of two would put the lines of all points into the same few sets of the cache.
        _inputStep = (_inputGroup + T.Count - 1) / T.Count * T.Count * tiles + 16;
        _outputStep = _panels * PanelChannels * tiles + 16;
        _sumStep = Pairs * _outputGroup + 16;
        (_group, _leaf, _reduce) = (RunGroup, RunLeaf, ReduceLeaves);
    }

    private static int PanelChannels => 2 * T.Count;

    private static int Taps => TFilterGradient.Outputs * TFilterGradient.Outputs;

    private static int Points => TInput.Outputs * TInput.Outputs;

    private int InputGroups => (8 * _input.Blocks + _inputGroup - 1) / _inputGroup;

    private int OutputGroups => (_output.C + _outputGroup - 1) / _outputGroup;

    private int Groups => InputGroups * OutputGroups;

    /// <summary>Input channels of a group, rounded up to whole groups of <see cref="GradientKernel"/>.</summary>
    private int Pairs => (_inputGroup + GradientKernel.Pairs - 1) / GradientKernel.Pairs * GradientKernel.Pairs;

    /// <summary>[output panel][input channel][tap][output channel of the panel], then the bias.</summary>
    private int LeafLength => _outputGroup * (_inputGroup * Taps + 1);

    public void Run(
        Activation x, Activation dy, ShardPlan plan, Func<int, float[]> rootOfWeights, Func<int, float[]>? rootOfBias, ThreadTeam team)
    {
        (_x, _dy, _plan, _rootOfWeights, _rootOfBias) = (x, dy, plan, rootOfWeights, rootOfBias);
        _trees.Reserve(team.Size);
        if (Groups >= ManyGroups || plan.Shards.Length > MaxLeaves)
        {
            team.Run(Groups, _group);
            return;
        }

        int leaves = Groups * plan.Shards.Length;
        if (_leaves.Length < leaves * LeafLength)
        {
            _leaves = GC.AllocateUninitializedArray<float>(leaves * LeafLength, pinned: true);
        }

        team.Run(leaves, _leaf);
        team.Run(Groups, _reduce);
    }

    private static int[] Pinned(int length, Func<int, int> value)
    {
        int[] pinned = GC.AllocateUninitializedArray<int>(length, pinned: true);
        for (int i = 0; i < length; i++)
        {
            pinned[i] = value(i);
        }

        return pinned;
    }

    private void RunGroup(int group, int thread)
    {
        GradientTree tree = _trees[thread];
        tree.Begin(LeafLength);
        foreach (LocalShard shard in _plan.Shards)
        {
            SumShard(group, shard, tree.LeafToOverwrite());
            Commit(tree, group, shard);
        }
    }

    private void RunLeaf(int item, int thread) =>
        SumShard(item % Groups, _plan.Shards[item / Groups], _leaves.AsSpan(item * LeafLength, LeafLength));

    private void ReduceLeaves(int group, int thread)
    {
        GradientTree tree = _trees[thread];
        tree.Begin(LeafLength);
        for (int i = 0; i < _plan.Shards.Length; i++)
        {
            _leaves.AsSpan((i * Groups + group) * LeafLength, LeafLength).CopyTo(tree.LeafToOverwrite());
            Commit(tree, group, _plan.Shards[i]);
        }
    }

    private void Commit(GradientTree tree, int group, in LocalShard shard)
    {
        if (tree.Commit(shard, out ReadOnlySpan<float> sum))
        {
            Unpack(sum, group, shard.Root);
        }
    }

    private void SumShard(int group, in LocalShard shard, Span<float> leaf)
    {
        int firstInput = group % InputGroups * _inputGroup;
        int firstOutput = group / InputGroups * _outputGroup;
        int inputBlocks = Math.Min(_inputGroup / 8, _input.Blocks - firstInput / 8);
        int outputBlocks = Math.Min(_outputGroup / 8, _output.Blocks - firstOutput / 8);
        float* source = ThreadScratch.Floats(0, Points * (_inputStep + _outputStep));
        float* gradient = source + Points * _inputStep;
        float* sums = ThreadScratch.Floats(1, Points * _sumStep);
        leaf[^_outputGroup..].Clear();
        int end = shard.End * _inputTiling.Rows;
        for (int first = shard.First * _inputTiling.Rows; first < end; first += _rowsPerChunk)
        {
            int last = Math.Min(end, first + _rowsPerChunk);
            int rows;
            for (int row = first; row < last; row += rows)
            {
                rows = Math.Min(last - row, _inputTiling.Rows - row % _inputTiling.Rows);
                int tile = (row - first) * _inputTiling.Columns;
                ToPoints(row, rows, firstInput / 8, inputBlocks, source + T.Count * tile);
                GradientToPoints(row, rows, firstOutput / 8, outputBlocks, gradient + PanelChannels * tile);
            }

            bool isFirst = first == shard.First * _inputTiling.Rows;
            AddProducts(source, gradient, sums, (last - first) * _inputTiling.Columns, 8 * outputBlocks, isFirst);
        }

        fixed (float* taps = leaf)
        {
            SumsToTaps(sums, taps);
            if (firstInput == 0 && _rootOfBias is not null)
            {
                AddBias(shard, firstOutput / 8, outputBlocks, taps + LeafLength - _outputGroup);
            }
        }
    }

    private void AddBias(in LocalShard shard, int firstBlock, int blocks, float* bias)
    {
        for (int n = shard.First; n < shard.End; n++)
        {
            for (int block = 0; block < blocks; block++)
            {
                DepthwiseKernel.RunBias(_dy.Sample(n) + 8L * (firstBlock + block) * _output.Area, _output.Area, bias + 8 * block);
            }
        }
    }

    /// <summary>Some rows of tiles of one sample.</summary>
    private void ToPoints(int row, int rows, int firstBlock, int blocks, float* points)
    {
        long length = T.Count * _inputTiling.Length(rows);
        float* band = ThreadScratch.Floats(2, length + (long)T.Count * TInput.Outputs * _inputTiling.Width);
        for (int block = 0; block < blocks; block += T.Count / 8, points += T.Count * (nint)_tiles)
        {
            float* source = _x.Sample(row / _inputTiling.Rows) + 8L * (firstBlock + block) * _input.Area;
            _inputTiling.Copy<T>(source, block + T.Count / 8 <= blocks ? 8 * _input.Area : 0, row % _inputTiling.Rows, rows, band);
            PlaneTransform.ToPoints<TInput, T>(
                band, _inputTiling.Width, rows, _inputTiling.Columns, _inputTiling.Size, band + length, points, _inputStep, T.Count);
        }
    }

    /// <summary>The same of dy; the two vectors of a panel lie interleaved: [tile][output channel of the panel].</summary>
    private void GradientToPoints(int row, int rows, int firstBlock, int blocks, float* points)
    {
        long length = T.Count * _gradientTiling.Length(rows);
        float* band = ThreadScratch.Floats(2, length + (long)T.Count * TOutputGradient.Outputs * _gradientTiling.Width);
        for (int block = 0; block < blocks; block += T.Count / 8)
        {
            float* source = _dy.Sample(row / _gradientTiling.Rows) + 8L * (firstBlock + block) * _output.Area;
            _gradientTiling.Copy<T>(source, block + T.Count / 8 <= blocks ? 8 * _output.Area : 0, row % _gradientTiling.Rows, rows, band);
            (int panel, int channel) = Math.DivRem(8 * block, PanelChannels);
            float* target = points + (nint)panel * PanelChannels * _tiles + channel;
            PlaneTransform.ToPoints<TOutputGradient, T>(
                band, _gradientTiling.Width, rows, _gradientTiling.Columns, _gradientTiling.Size, band + length, target, _outputStep, PanelChannels);
        }
    }

    private void AddProducts(float* source, float* gradient, float* sums, int tiles, int channels, bool overwrite)
    {
        fixed (int* tileOffsets = _tileOffsets, pairOffsets = _pairOffsets)
        {
            for (int point = 0; point < Points; point++)
            {
                for (int panel = 0; panel * PanelChannels < channels; panel++)
                {
                    var job = new GradientKernel.Job
                    {
                        X = source + point * _inputStep,
                        Offsets = tileOffsets,
                        PixelCount = tiles,
                        PairOffsets = pairOffsets,
                        PairCount = Pairs,
                        Sums = sums + point * _sumStep + (nint)panel * PanelChannels * Pairs,
                        Overwrite = overwrite,
                    };
                    job.SetPanel<T>(gradient + point * _outputStep + (nint)panel * PanelChannels * _tiles, Width(panel) / 8, 8);
                    GradientKernel.Run<T>(in job, Width(panel));
                }
            }
        }
    }

    /// <summary>Output channels of a panel: the same in all groups, though the last group may have fewer.</summary>
    private int Width(int panel) => TileKernel.Width<T>(_outputGroup - panel * PanelChannels);

    /// <summary>[point][panel][input channel][output channel] to [panel][input channel][tap][output channel].</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SumsToTaps(float* sums, float* taps)
    {
        nint side = TFilterGradient.Inputs;
        nint filter = TFilterGradient.Outputs;
        float* lines = stackalloc float[MaxLines * T.Count];
        for (int panel = 0; panel < _panels; panel++)
        {
            nint width = Width(panel);
            float* source = sums + (nint)panel * PanelChannels * Pairs;
            for (int channel = 0; channel < _inputGroup; channel++, source += width, taps += width * Taps)
            {
                for (nint first = 0; first < width; first += T.Count)
                {
                    for (nint column = 0; column < side; column++)
                    {
                        TFilterGradient.Apply<T>(source + first + column * _sumStep, side * _sumStep, lines + T.Count * column, T.Count * side, 8);
                    }

                    for (nint row = 0; row < filter; row++)
                    {
                        TFilterGradient.Apply<T>(lines + T.Count * row * side, T.Count, taps + first + width * filter * row, width, 8);
                    }
                }
            }
        }
    }

    /// <summary>[panel][input channel][tap][output channel] to (K, C, R, S): reads each line of the cache once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Unpack(ReadOnlySpan<float> sum, int group, int root)
    {
        int firstInput = group % InputGroups * _inputGroup;
        int firstOutput = group / InputGroups * _outputGroup;
        int inputs = Math.Min(_inputGroup, _input.C - firstInput);
        int outputs = Math.Min(_outputGroup, _output.C - firstOutput);
        nint filterStep = (nint)_input.C * Taps;
        fixed (float* lines = sum, weights = _rootOfWeights(root))
        {
            for (int first = 0; first < outputs; first += PanelChannels)
            {
                int width = Width(first / PanelChannels);
                int lanes = Math.Min(width, outputs - first);
                float* line = lines + (nint)first * _inputGroup * Taps;
                float* target = weights + (firstOutput + first) * filterStep + (nint)firstInput * Taps;
                for (int i = 0; i < inputs * Taps; i++, line += width, target++)
                {
                    for (nint lane = 0; lane < lanes; lane++)
                    {
                        target[lane * filterStep] = line[lane];
                    }
                }
            }
        }

        if (firstInput == 0 && _rootOfBias is not null)
        {
            sum.Slice(LeafLength - _outputGroup, outputs).CopyTo(_rootOfBias(root).AsSpan(firstOutput));
        }
    }
}
