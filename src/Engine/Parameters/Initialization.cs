using ConvNet.Engine.Numerics;

namespace ConvNet.Engine.Parameters;

/// <summary>The values before the first step: normal weights, γ = 1, everything else 0.</summary>
public static class Initialization
{
    /// <summary>Fills a tensor; a pure function of (seed, layer, parameter) and its sizes, so that anyone may fill any part of a model.</summary>
    /// <param name="values">At least <see cref="Parameter.Count"/> floats in logical order; what is past them becomes 0.</param>
    public static void Fill(Parameter parameter, ulong seed, InitializationKind kind, Span<float> values)
    {
        values.Clear();
        values = values[..parameter.Count];
        switch (parameter.Role)
        {
            case ParameterRole.Weight:
                FillNormal(parameter, seed, kind, values);
                break;
            case ParameterRole.Scale:
                values.Fill(1);
                break;
        }
    }

    private static void FillNormal(Parameter parameter, ulong seed, InitializationKind kind, Span<float> values)
    {
        double fan = kind == InitializationKind.He ? parameter.FanIn : parameter.FanIn + (double)parameter.FanOut;
        double deviation = Math.Sqrt(2 / fan);
        PhiloxStream random = Philox.Initialization(seed, parameter.Layer, parameter.Ordinal);
        for (int i = 0; i < values.Length; i += 2)
        {
            (double first, double second) = random.NextGaussian();
            values[i] = (float)(first * deviation);
            if (i + 1 < values.Length)
            {
                values[i + 1] = (float)(second * deviation);
            }
        }
    }
}
