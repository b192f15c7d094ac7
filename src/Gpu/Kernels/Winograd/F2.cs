using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Kernels.Winograd;

/// <summary>Those of the 2×2 Toeplitz product as in the engine's F2: 2 outputs of a 3-tap filter over 2 inputs between zeros, at 3 points.</summary>
internal static class F2
{
    /// <summary>2 inputs to 3 points.</summary>
    public readonly struct Input : ILineMap
    {
        public int Inputs => 2;

        public int Outputs => 3;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 d0 = x.V0;
            Float32 d1 = x.V1;
            y.V0 = d0 + d1;
            y.V1 = d1;
            y.V2 = d0;
            return y;
        }
    }

    /// <summary>3 points to 2 outputs.</summary>
    public readonly struct Output : ILineMap
    {
        public int Inputs => 3;

        public int Outputs => 2;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 m0 = x.V0;
            y.V0 = m0 + x.V1;
            y.V1 = m0 + x.V2;
            return y;
        }
    }

    /// <summary>3 taps to 3 points.</summary>
    public readonly struct Filter : ILineMap
    {
        public int Inputs => 3;

        public int Outputs => 3;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 g1 = x.V1;
            y.V0 = g1;
            y.V1 = x.V2 - g1;
            y.V2 = x.V0 - g1;
            return y;
        }
    }

    /// <summary>The gradients of 2 outputs to 3 points.</summary>
    public readonly struct OutputGradient : ILineMap
    {
        public int Inputs => 2;

        public int Outputs => 3;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 d0 = x.V0;
            Float32 d1 = x.V1;
            y.V0 = d0 + d1;
            y.V1 = d0;
            y.V2 = d1;
            return y;
        }
    }

    /// <summary>3 points to the gradients of 3 taps.</summary>
    public readonly struct FilterGradient : ILineMap
    {
        public int Inputs => 3;

        public int Outputs => 3;

        public Line Apply(Line x)
        {
            Line y = default;
            Float32 m1 = x.V1;
            Float32 m2 = x.V2;
            y.V0 = m2;
            y.V1 = x.V0 - m1 - m2;
            y.V2 = m1;
            return y;
        }
    }
}
