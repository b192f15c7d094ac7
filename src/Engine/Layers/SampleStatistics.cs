using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Kernels.Normalization;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>
/// Mean and variance over groups of consecutive channels of one sample; what layer, instance and group normalization share.
/// Channels are merged in their order with the arithmetic of <see cref="Moments.Combine"/>.
/// </summary>
internal sealed class SampleStatistics(Shape shape, int groups)
{
    public const double Epsilon = 1e-5;

    private NormConstants[] _constants = [];

    public ChannelSums Sums { get; } = new(shape);

    /// <summary>The constants of a sample; set by <see cref="Measure"/>.</summary>
    public NormConstants this[int n] => _constants[n];

    public void Reserve(int samples)
    {
        Sums.Reserve(samples);
        int old = _constants.Length;
        if (old < samples)
        {
            Array.Resize(ref _constants, samples);
            for (int n = old; n < samples; n++)
            {
                _constants[n] = new NormConstants(shape.Blocks * 8);
            }
        }
    }

    public void Measure(Activation x, int n, NormalizationKernel kernel)
    {
        for (int block = 0; block < shape.Blocks; block++)
        {
            kernel.Moments(x.Block(n, block), Sums.First(n, block), Sums.Second(n, block));
        }

        int size = shape.C / groups;
        for (int first = 0; first < shape.C; first += size)
        {
            (double mean, double m2) = Sums.MergeChannels(n, first, first + size);
            double variance = m2 / ((double)size * shape.Area);
            for (int c = first; c < first + size; c++)
            {
                _constants[n].Set(c, mean, variance, Epsilon);
            }
        }
    }

    /// <summary>Turns Σdy and Σdy·x̂ of each channel in <see cref="Sums"/> into the constants of backward.</summary>
    public void SetBackward(int n, ReadOnlySpan<float> gamma)
    {
        int size = shape.C / groups;
        double count = (double)size * shape.Area;
        for (int first = 0; first < shape.C; first += size)
        {
            double sumDy = 0;
            double sumDyXhat = 0;
            for (int c = first; c < first + size; c++)
            {
                sumDy += gamma[c] * Sums.First(n, c >> 3)[c & 7];
                sumDyXhat += gamma[c] * Sums.Second(n, c >> 3)[c & 7];
            }

            for (int c = first; c < first + size; c++)
            {
                _constants[n].SetBackward(c, gamma[c], sumDy / count, sumDyXhat / count);
            }
        }
    }
}
