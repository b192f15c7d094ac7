using ConvNet.Engine.Geometry;
using Xunit;

namespace ConvNet.Engine.Tests.Kernels.Convolution;

/// <summary>A convolution and its gradients as plain loops over the definition, in double.</summary>
internal sealed class ConvolutionOracle(ConvolutionGeometry g)
{
    /// <summary>Calls <paramref name="visit"/> with (index of y, of x, of weight) for every product of sample <paramref name="n"/>.</summary>
    public void Products(int n, Action<int, int, int> visit)
    {
        for (int k = 0; k < g.Output.C; k++)
        {
            int firstChannel = k / g.FiltersPerGroup * g.ChannelsPerGroup;
            for (int c = 0; c < g.ChannelsPerGroup; c++)
            {
                for (int t = 0; t < g.Taps; t++)
                {
                    VisitPixels(n, k, firstChannel + c, t, (k * g.ChannelsPerGroup + c) * g.Taps + t, visit);
                }
            }
        }
    }

    /// <summary>Values in −1 … 1 from an integer hash of (seed, index).</summary>
    public static float[] Filled(int count, uint seed) => [.. Enumerable.Range(0, count).Select(i => Value(seed, (uint)i))];

    /// <summary>The largest difference, relative to the largest expected value.</summary>
    public static double Error(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = 0, worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(expected[i]));
            worst = Math.Max(worst, float.IsNaN(actual[i]) ? double.PositiveInfinity : Math.Abs(expected[i] - actual[i]));
        }

        return worst == 0 ? 0 : worst / largest;
    }

    private static float Value(uint seed, uint i)
    {
        uint hash = (i + 1) * 2654435761u + seed * 40503u;
        hash = (hash ^ (hash >> 15)) * 2246822519u;
        return (int)(hash ^ (hash >> 13)) / 2147483648f;
    }

    private void VisitPixels(int n, int k, int c, int t, int weight, Action<int, int, int> visit)
    {
        for (int ho = 0; ho < g.Output.H; ho++)
        {
            int h = ho * g.Stride.H - g.Padding.H + t / g.Kernel.W * g.Dilation.H;
            for (int wo = 0; wo < g.Output.W && (uint)h < g.Input.H; wo++)
            {
                int w = wo * g.Stride.W - g.Padding.W + t % g.Kernel.W * g.Dilation.W;
                if ((uint)w < g.Input.W)
                {
                    visit(((n * g.Output.C + k) * g.Output.H + ho) * g.Output.W + wo, ((n * g.Input.C + c) * g.Input.H + h) * g.Input.W + w, weight);
                }
            }
        }
    }
}
