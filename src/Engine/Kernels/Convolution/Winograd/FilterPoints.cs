using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Kernels.Convolution.Winograd;

/// <summary>Filters in points, packed for <see cref="TileKernel"/>: [point][panel of outputs][input channel][output of the panel].</summary>
internal sealed unsafe class FilterPoints<TFilter, T>
    where TFilter : struct, ILineTransform
    where T : struct, IFloats<T>
{
    /// <summary>Of the largest filters, 5×5, and between their transforms of columns and of rows.</summary>
    private const int MaxTaps = 25;
    private const int MaxLines = 30;

    /// <summary>8 input channels × 16 outputs of one point.</summary>
    private const int StageStep = 8 * 16;

    private readonly int _inputs;
    private readonly int _outputs;
    private readonly int _inputStep;
    private readonly int _outputStep;
    private readonly bool _rotated;
    private readonly Action<int, int> _item;
    private float[] _weights = [];
    private float* _points;

    /// <param name="inputs">Channels that are summed over.</param>
    /// <param name="outputs">Channels that result.</param>
    /// <param name="inputStep">Floats from one input channel's weights to the next.</param>
    /// <param name="outputStep">Floats from one output channel's weights to the next.</param>
    /// <param name="rotated">True to turn each filter by 180°, as backward data needs it.</param>
    public FilterPoints(int inputs, int outputs, int inputStep, int outputStep, bool rotated)
    {
        _inputs = inputs;
        _outputs = outputs;
        _inputStep = inputStep;
        _outputStep = outputStep;
        _rotated = rotated;
        _item = Item;

        // 64 bytes more than the data: powers of two would put the lines of all points into the same few sets of the cache.
        PointStep = (Panels - 1) * PanelStep + PanelStep / PanelChannels * Width(Panels - 1) + 16;
    }

    private static int Taps => TFilter.Inputs * TFilter.Inputs;

    private static int Points => TFilter.Outputs * TFilter.Outputs;

    private static int PanelChannels => 2 * T.Count;

    public int Panels => (_outputs + PanelChannels - 1) / PanelChannels;

    /// <summary>Floats from one panel to the next; the input channels are padded to whole blocks with zeros.</summary>
    public int PanelStep => (_inputs + 7) / 8 * 8 * PanelChannels;

    /// <summary>Floats from one point to the next.</summary>
    public int PointStep { get; }

    /// <summary>Floats in all.</summary>
    public long Length => (long)Points * PointStep;

    /// <param name="points">Room for <see cref="Length"/> floats.</param>
    public void Transform(float[] weights, float* points, ThreadTeam team)
    {
        _weights = weights;
        _points = points;
        team.Run((_outputs + 15) / 16, _item);
    }

    private int Width(int panel) => TileKernel.Width<T>(_outputs - panel * PanelChannels);

    /// <summary>
    /// 16 outputs. Eight input channels are staged in the first-level cache, so that each point gets whole lines at a time, past the caches: the points are
    /// up to four times as large as the filters, and reading lines only to overwrite them would take as long again.
    /// </summary>
    [SkipLocalsInit]
    private void Item(int item, int thread)
    {
        int outputs = Math.Min(16, _outputs - 16 * item);
        (int panel, int output) = Math.DivRem(16 * item, PanelChannels);
        int width = Width(panel);
        float* taps = stackalloc float[MaxTaps * 16];
        float* stage = ThreadScratch.Floats(2, Points * StageStep);
        new Span<float>(taps, Taps * 16).Clear();
        float* target = _points + (long)panel * PanelStep + output;
        fixed (float* weights = _weights)
        {
            for (int first = 0; first < _inputs; first += 8, target += 8 * width)
            {
                for (int input = first; input < first + 8; input++)
                {
                    if (input < _inputs)
                    {
                        Gather(weights + (long)input * _inputStep + 16L * item * _outputStep, outputs, taps);
                    }
                    else
                    {
                        new Span<float>(taps, Taps * 16).Clear();
                    }

                    Transform(taps, stage + 16 * (input - first));
                }

                Flush(stage, target, width);
            }
        }
    }

    /// <summary>One input channel of 16 filters as [tap][16].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Gather(float* weights, int outputs, float* taps)
    {
        nint first = _rotated ? (Taps - 1) * 16 : 0;
        nint step = _rotated ? -16 : 16;
        for (nint output = 0; output < outputs; output++, weights += _outputStep)
        {
            float* target = taps + first + output;
            for (nint tap = 0; tap < Taps; tap++, target += step)
            {
                *target = weights[tap];
            }
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transform(float* taps, float* stage)
    {
        nint side = TFilter.Outputs;
        nint filter = TFilter.Inputs;
        float* lines = stackalloc float[MaxLines * T.Count];
        for (nint first = 0; first < 16; first += T.Count)
        {
            for (nint column = 0; column < filter; column++)
            {
                TFilter.Apply<T>(taps + column * 16 + first, filter * 16, lines + column * T.Count, filter * T.Count, 8);
            }

            for (nint row = 0; row < side; row++)
            {
                TFilter.Apply<T>(lines + row * filter * T.Count, T.Count, stage + row * side * StageStep + first, StageStep, 8);
            }
        }
    }

    /// <summary>
    /// Other threads read the points only after <see cref="ThreadTeam.Run"/>, whose interlocked count of the items also orders stores that went
    /// past the caches, as plain volatile writes would not.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Flush(float* stage, float* target, nint width)
    {
        for (nint point = 0; point < Points; point++, target += PointStep)
        {
            for (nint input = 0; input < 8; input++, stage += 16)
            {
                Vector256.Load(stage).StoreAlignedNonTemporal(target + input * width);
                Vector256.Load(stage + 8).StoreAlignedNonTemporal(target + input * width + 8);
            }
        }
    }
}
