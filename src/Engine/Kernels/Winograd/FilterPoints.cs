using System.Runtime.CompilerServices;

namespace ConvNet.Engine.Kernels.Winograd;

/// <summary>3×3 filters in points, packed for <see cref="TileKernel"/>: [point][panel of 16 outputs][input channel][16].</summary>
internal sealed unsafe class FilterPoints<TFilter>
    where TFilter : struct, ILineTransform
{
    private const int Taps = 9;

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
        PointStep = Panels * PanelStep + 16;
    }

    public int Panels => (_outputs + 15) / 16;

    /// <summary>Floats from one panel to the next; the input channels are padded to whole blocks with zeros.</summary>
    public int PanelStep => (_inputs + 7) / 8 * 8 * 16;

    /// <summary>Floats from one point to the next.</summary>
    public int PointStep { get; }

    /// <summary>Floats in all.</summary>
    public long Length => (long)TFilter.Outputs * TFilter.Outputs * PointStep;

    /// <param name="points">Room for <see cref="Length"/> floats.</param>
    public void Transform(float[] weights, float* points, ThreadTeam team)
    {
        _weights = weights;
        _points = points;
        team.Run(Panels, _item);
    }

    [SkipLocalsInit]
    private void Item(int panel, int thread)
    {
        const int Side = 6;
        int outputs = Math.Min(16, _outputs - 16 * panel);
        float* taps = stackalloc float[Taps * 16];
        float* lines = stackalloc float[2 * Side * 3 * 8];
        new Span<float>(taps, Taps * 16).Clear();
        float* target = _points + (long)panel * PanelStep;
        fixed (float* weights = _weights)
        {
            for (int input = 0; input < (_inputs + 7) / 8 * 8; input++, target += 16)
            {
                if (input < _inputs)
                {
                    Gather(weights + (long)input * _inputStep + 16L * panel * _outputStep, outputs, taps);
                }
                else
                {
                    new Span<float>(taps, Taps * 16).Clear();
                }

                Transform(taps, lines, target);
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

    /// <summary>Both halves of a line of the cache are written one after the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Transform(float* taps, float* lines, float* target)
    {
        nint side = TFilter.Outputs;
        nint half = side * 3 * 8;
        for (nint column = 0; column < 3; column++)
        {
            TFilter.Apply(taps + column * 16, 48, lines + column * 8, 24);
            TFilter.Apply(taps + column * 16 + 8, 48, lines + half + column * 8, 24);
        }

        for (nint row = 0; row < side; row++)
        {
            float* points = target + row * side * PointStep;
            TFilter.Apply(lines + row * 24, 8, points, PointStep);
            TFilter.Apply(lines + half + row * 24, 8, points + 8, PointStep);
        }
    }
}
