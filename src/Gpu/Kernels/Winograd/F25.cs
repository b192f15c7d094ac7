using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Kernels.Winograd;

/// <summary>Those of F(2, 5) as in the engine's F25: 2 outputs of a 5-tap filter from 6 inputs, at the points of <see cref="F4"/>.</summary>
internal static class F25
{
    /// <summary>Aᵀ: 6 points to 2 outputs.</summary>
    public readonly struct Output : ILineMap
    {
        public int Inputs => 6;

        public int Outputs => 2;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 m1 = x.V1;
            Float32 m2 = x.V2;
            Float32 m3 = x.V3;
            Float32 m4 = x.V4;
            y.V0 = x.V0 + ((m1 + m2) + (m3 + m4));
            y.V1 = Float32.Fma(2f, m3 - m4, m1 - m2) + x.V5;
            return y;
        }
    }

    /// <summary>G: 5 taps to 6 points.</summary>
    public readonly struct Filter : ILineMap
    {
        public int Inputs => 5;

        public int Outputs => 6;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 g0 = x.V0;
            Float32 g1 = x.V1;
            Float32 g2 = x.V2;
            Float32 g3 = x.V3;
            Float32 g4 = x.V4;
            Float32 minusSixth = -1f / 6;
            y.V0 = g0 * 0.25f;
            Float32 even = (g0 + g2 + g4) * minusSixth, odd = (g1 + g3) * minusSixth;
            y.V1 = even + odd;
            y.V2 = even - odd;
            even = Float32.Fma(g0, 1f / 24, Float32.Fma(g2, 1f / 6, g4 * (2f / 3)));
            odd = Float32.Fma(g1, 1f / 12, g3 * (1f / 3));
            y.V3 = even + odd;
            y.V4 = even - odd;
            y.V5 = g4;
            return y;
        }
    }

    /// <summary>A: the gradients of 2 outputs to 6 points.</summary>
    public readonly struct OutputGradient : ILineMap
    {
        public int Inputs => 2;

        public int Outputs => 6;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 d0 = x.V0;
            Float32 d1 = x.V1;
            Float32 twice = d1 + d1;
            y.V0 = d0;
            y.V1 = d0 + d1;
            y.V2 = d0 - d1;
            y.V3 = d0 + twice;
            y.V4 = d0 - twice;
            y.V5 = d1;
            return y;
        }
    }

    /// <summary>Gᵀ: 6 points to the gradients of 5 taps.</summary>
    public readonly struct FilterGradient : ILineMap
    {
        public int Inputs => 6;

        public int Outputs => 5;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 m1 = x.V1;
            Float32 m2 = x.V2;
            Float32 m3 = x.V3;
            Float32 m4 = x.V4;
            Float32 sixth = 1f / 6;
            Float32 sum1 = (m1 + m2) * sixth, difference1 = (m2 - m1) * sixth;
            Float32 sum2 = m3 + m4, difference2 = m3 - m4;
            Float32 first = Float32.Fma(0.25f, x.V0, -sum1);
            y.V0 = Float32.Fma(1f / 24, sum2, first);
            y.V1 = Float32.Fma(1f / 12, difference2, difference1);
            y.V2 = Float32.Fma(sixth, sum2, -sum1);
            y.V3 = Float32.Fma(1f / 3, difference2, difference1);
            y.V4 = Float32.Fma(2f / 3, sum2, -sum1) + x.V5;
            return y;
        }
    }
}
