using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Kernels.Winograd;

/// <summary>The five maps of F(4, 3) as the engine's F4 computes them: 4 outputs of a 3-tap filter from 6 inputs, at 6 points.</summary>
internal static class F4
{
    /// <summary>Bᵀ: 6 inputs to 6 points.</summary>
    public readonly struct Input : ILineMap
    {
        public int Inputs => 6;

        public int Outputs => 6;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 four = 4f, minusFour = -4f, minusFive = -5f;
            Float32 d0 = x.V0;
            Float32 d1 = x.V1;
            Float32 d2 = x.V2;
            Float32 d3 = x.V3;
            Float32 d4 = x.V4;
            Float32 d5 = x.V5;
            y.V0 = Float32.Fma(four, d0, Float32.Fma(minusFive, d2, d4));
            Float32 even = Float32.Fma(minusFour, d2, d4);
            Float32 odd = Float32.Fma(minusFour, d1, d3);
            y.V1 = even + odd;
            y.V2 = even - odd;
            even = d4 - d2;
            odd = d3 - d1;
            odd += odd;
            y.V3 = even + odd;
            y.V4 = even - odd;
            y.V5 = Float32.Fma(four, d1, Float32.Fma(minusFive, d3, d5));
            return y;
        }
    }

    /// <summary>Aᵀ: 6 points to 4 outputs.</summary>
    public readonly struct Output : ILineMap
    {
        public int Inputs => 6;

        public int Outputs => 4;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 m1 = x.V1;
            Float32 m2 = x.V2;
            Float32 m3 = x.V3;
            Float32 m4 = x.V4;
            Float32 sum1 = m1 + m2, difference1 = m1 - m2;
            Float32 sum2 = m3 + m4, difference2 = m3 - m4;
            y.V0 = x.V0 + (sum1 + sum2);
            y.V1 = Float32.Fma(2f, difference2, difference1);
            y.V2 = Float32.Fma(4f, sum2, sum1);
            y.V3 = Float32.Fma(8f, difference2, difference1) + x.V5;
            return y;
        }
    }

    /// <summary>G: 3 taps to 6 points.</summary>
    public readonly struct Filter : ILineMap
    {
        public int Inputs => 3;

        public int Outputs => 6;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 g0 = x.V0;
            Float32 g1 = x.V1;
            Float32 g2 = x.V2;
            Float32 minusSixth = -1f / 6, twelfth = 1f / 12;
            y.V0 = g0 * 0.25f;
            Float32 even = (g0 + g2) * minusSixth, odd = g1 * minusSixth;
            y.V1 = even + odd;
            y.V2 = even - odd;
            even = Float32.Fma(g0, 1f / 24, g2 * (1f / 6));
            odd = g1 * twelfth;
            y.V3 = even + odd;
            y.V4 = even - odd;
            y.V5 = g2;
            return y;
        }
    }

    /// <summary>A: the gradients of 4 outputs to 6 points.</summary>
    public readonly struct OutputGradient : ILineMap
    {
        public int Inputs => 4;

        public int Outputs => 6;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 d0 = x.V0;
            Float32 d1 = x.V1;
            Float32 d2 = x.V2;
            Float32 d3 = x.V3;
            y.V0 = d0;
            Float32 even = d0 + d2, odd = d1 + d3;
            y.V1 = even + odd;
            y.V2 = even - odd;
            even = Float32.Fma(4f, d2, d0);
            odd = Float32.Fma(8f, d3, d1 + d1);
            y.V3 = even + odd;
            y.V4 = even - odd;
            y.V5 = d3;
            return y;
        }
    }

    /// <summary>Gᵀ: 6 points to the gradients of 3 taps.</summary>
    public readonly struct FilterGradient : ILineMap
    {
        public int Inputs => 6;

        public int Outputs => 3;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 m1 = x.V1;
            Float32 m2 = x.V2;
            Float32 m3 = x.V3;
            Float32 m4 = x.V4;
            Float32 sixth = 1f / 6;
            Float32 sum1 = (m1 + m2) * sixth, difference1 = (m2 - m1) * sixth;
            Float32 sum2 = m3 + m4;
            Float32 first = Float32.Fma(0.25f, x.V0, -sum1);
            y.V0 = Float32.Fma(1f / 24, sum2, first);
            y.V1 = Float32.Fma(1f / 12, m3 - m4, difference1);
            y.V2 = Float32.Fma(sixth, sum2, -sum1) + x.V5;
            return y;
        }
    }
}
