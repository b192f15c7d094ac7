using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// Output pixels that use the same taps. Output pixel i is the sum over taps t of weight[t] · source(Bases[i] + Taps[t]); source
/// coordinates outside the image count as zero.
/// </summary>
/// <param name="Pixels">h·W + w of each output pixel.</param>
/// <param name="Bases">For each output pixel, a source row and column.</param>
/// <param name="Taps">A shift in source rows and columns, and the weight's index r·S + s.</param>
internal sealed record IndirectPhase(int[] Pixels, (int Y, int X)[] Bases, (int Y, int X, int Weight)[] Taps)
{
    /// <summary>y from x: one phase.</summary>
    public static IndirectPhase[] Forward(ConvolutionGeometry g)
    {
        var bases = new (int, int)[g.Output.Area];
        for (int i = 0; i < bases.Length; i++)
        {
            bases[i] = (i / g.Output.W * g.Stride.H - g.Padding.H, i % g.Output.W * g.Stride.W - g.Padding.W);
        }

        var taps = new (int, int, int)[g.Taps];
        for (int t = 0; t < taps.Length; t++)
        {
            taps[t] = (t / g.Kernel.W * g.Dilation.H, t % g.Kernel.W * g.Dilation.W, t);
        }

        return [new IndirectPhase([.. Enumerable.Range(0, bases.Length)], bases, taps)];
    }

    /// <summary>
    /// dx from dy: one phase for each (row mod stride, column mod stride), because input pixels of different phases meet different
    /// taps. Within a phase, neighbours are one dy pixel apart, so nothing is multiplied by the zeros between strided pixels.
    /// </summary>
    public static IndirectPhase[] BackwardData(ConvolutionGeometry g)
    {
        var phases = new List<IndirectPhase>();
        for (int y = 0; y < Math.Min(g.Stride.H, g.Input.H); y++)
        {
            for (int x = 0; x < Math.Min(g.Stride.W, g.Input.W); x++)
            {
                phases.Add(BackwardData(g, y, x));
            }
        }

        return [.. phases];
    }

    /// <summary>The smallest frame of zeros around the source that all taps stay inside of.</summary>
    public static PaddedPlanes Frame(IndirectPhase[] phases, Shape source)
    {
        int top = 0, left = 0, bottom = 0, right = 0;
        foreach (IndirectPhase phase in phases.Where(phase => phase.Taps.Length > 0))
        {
            top = Math.Min(top, phase.Bases.Min(b => b.Y) + phase.Taps.Min(t => t.Y));
            left = Math.Min(left, phase.Bases.Min(b => b.X) + phase.Taps.Min(t => t.X));
            bottom = Math.Max(bottom, phase.Bases.Max(b => b.Y) + phase.Taps.Max(t => t.Y));
            right = Math.Max(right, phase.Bases.Max(b => b.X) + phase.Taps.Max(t => t.X));
        }

        return PaddedPlanes.Covering(source.H, source.W, top, left, bottom, right);
    }

    private static IndirectPhase BackwardData(ConvolutionGeometry g, int phaseY, int phaseX)
    {
        var pixels = new List<int>();
        var bases = new List<(int, int)>();
        for (int h = phaseY; h < g.Input.H; h += g.Stride.H)
        {
            for (int w = phaseX; w < g.Input.W; w += g.Stride.W)
            {
                pixels.Add(h * g.Input.W + w);
                bases.Add((h / g.Stride.H, w / g.Stride.W));
            }
        }

        var taps = new List<(int, int, int)>();
        for (int r = 0; r < g.Kernel.H; r++)
        {
            int y = phaseY + g.Padding.H - r * g.Dilation.H;
            for (int s = 0; s < g.Kernel.W; s++)
            {
                int x = phaseX + g.Padding.W - s * g.Dilation.W;
                if (y % g.Stride.H == 0 && x % g.Stride.W == 0)
                {
                    taps.Add((y / g.Stride.H, x / g.Stride.W, r * g.Kernel.W + s));
                }
            }
        }

        // Ascending source addresses, as the processor's prefetch likes them.
        taps.Reverse();
        return new IndirectPhase([.. pixels], [.. bases], [.. taps]);
    }
}
