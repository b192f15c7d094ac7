using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Kernels.Normalization;
using ConvNet.Engine.Kernels.Pooling;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Numerics;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Alone;

/// <summary>
/// The bits of every pass that takes one value after the other: normalization, pooling, ReLU, sums and optimizers, on images of odd and even
/// sides, with NaN, infinity and zeros of both signs among the values.
/// </summary>
internal sealed class PassBits : IDisposable
{
    private const int Lanes = 8;

    private static readonly (int Height, int Width)[] Images = [(1, 1), (1, 2), (3, 1), (2, 2), (5, 7), (8, 8), (13, 5), (14, 14), (9, 16)];

    private static readonly OptimizerSpec[] Optimizers =
    [
        new Sgd { WeightDecay = 0.01 },
        new Sgd { Momentum = 0.9, WeightDecay = 0.01 },
        new Sgd { Momentum = 0.9, Nesterov = true },
        new Adam { WeightDecay = 0.01 },
        new AdamW { WeightDecay = 0.01 },
        new Lars { WeightDecay = 0.01 },
    ];

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private PhiloxStream _random = Philox.Stream(1, Purpose.Shuffle, 0, 0);

    /// <summary>SHA-256 over all results of one part: normalization, pooling, sums or optimizers.</summary>
    /// <exception cref="ArgumentException">There is no such part.</exception>
    public string Hash(string part)
    {
        switch (part)
        {
            case "normalization":
                Array.ForEach(Images, image => Normalize(image.Height, image.Width));
                break;
            case "pooling":
                Array.ForEach(Images, image => Pool(image.Height, image.Width));
                break;
            case "sums":
                Array.ForEach([1, 8, 15, 16, 24, 40, 1000, 1024], Sum);
                break;
            case "optimizers":
                Array.ForEach(Optimizers, Optimize);
                break;
            default:
                throw new ArgumentException($"'{part}' is no part: give normalization, pooling, sums or optimizers.", nameof(part));
        }

        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    public void Dispose() => _hash.Dispose();

    private void Normalize(int height, int width)
    {
        int length = height * width * Lanes;
        float[] x = Floats(length), dy = Floats(length), y = new float[length], gamma = Floats(Lanes), beta = Floats(Lanes);
        double[] first = new double[Lanes], second = new double[Lanes];
        var constants = new NormConstants(Lanes);
        for (int lane = 0; lane < Lanes; lane++)
        {
            constants.Set(lane, x[lane] / 3, 0.7 + lane, 1e-5);
            constants.SetBackward(lane, gamma[lane], 0.1 * lane, 0.3 - lane);
        }

        NormalizationKernel kernel = NormalizationKernel.For(KernelSet.Fast);
        kernel.Moments(x, first, second);
        Add<double>(first);
        Add<double>(second);
        var block = new NormBlock(constants, gamma, beta, 0);
        foreach (bool relu in (bool[])[false, true])
        {
            kernel.Forward(x, y, block, relu);
            Add<float>(y);
            kernel.BackwardSums(x, dy, block, relu, first, second);
            Add<double>(first);
            Add<double>(second);
            kernel.Backward(x, dy, y, block, relu);
            Add<float>(y);
        }

        NormalizedSum.Forward(x, block, dy, y);
        Add<float>(y);
        NormalizedSum.Forward(x, block, dy, block, y);
        Add<float>(y);
        NormalizedSum.Forward(x, dy, y);
        Add<float>(y);
        float[] large = Floats(4 * length), winners = new float[length], dx = new float[4 * length];
        PooledNormalization.Forward(large, y, winners, width, block);
        Add<float>(y);
        Add<float>(winners);
        PooledNormalization.Backward(large, dy, dx, width, block);
        Add<float>(dx);
    }

    private void Pool(int height, int width)
    {
        foreach ((int kernel, int stride, int padding, int rest) in ((int, int, int, int)[])[(2, 2, 0, 0), (2, 2, 0, 1), (3, 2, 1, 1), (3, 1, 1, 0)])
        {
            Window rows = Axis(height), columns = Axis(width);
            float[] x = Special(rows.Input * columns.Input * Lanes), dy = Special(rows.Output * columns.Output * Lanes);
            float[] y = new float[dy.Length], dx = new float[x.Length];
            PoolingKernel pooling = PoolingKernel.For(KernelSet.Fast);
            pooling.MaxForward(x, y, rows, columns);
            Add<float>(y);
            pooling.MaxBackward(x, dy, dx, rows, columns);
            Add<float>(dx);
            pooling.AverageForward(x, y, rows, columns);
            Add<float>(y);
            pooling.AverageBackward(dy, dx, rows, columns);
            Add<float>(dx);

            Window Axis(int output) => new((output - 1) * stride + kernel - 2 * padding + rest, kernel, stride, padding, 1, output);
        }
    }

    private void Sum(int length)
    {
        float[] left = Special(length), right = Special(length);
        GradientTree.Add(left, right);
        Add<float>(left);
        Add<double>([BlockTree.SquareSum(Floats(length))]);
        if (length % Lanes == 0)
        {
            float[] y = new float[length], dy = Special(length);
            ReLU.Apply(Special(length), y);
            Add<float>(y);
            ReLU.Mask(y, dy);
            Add<float>(dy);
        }
    }

    private void Optimize(OptimizerSpec optimizer)
    {
        const int Count = 2 * Parameter.BlockSize;
        float[] w = Floats(Count);
        float[][] slots = [.. optimizer.SlotNames.Select(_ => new float[Count])];
        for (int step = 1; step <= 3; step++)
        {
            (double first, double secondRoot) = optimizer.BiasCorrections(step);
            var settings = new StepSettings(0.05, 0.7, first, secondRoot, []);
            optimizer.Apply(settings, 0.4f, w, Floats(Count), slots.ElementAtOrDefault(0), slots.ElementAtOrDefault(1), w);
            Add<float>(w);
        }

        Array.ForEach(slots, slot => Add<float>(slot));
    }

    private void Add<T>(ReadOnlySpan<T> values)
        where T : unmanaged => _hash.AppendData(MemoryMarshal.AsBytes(values));

    private float[] Floats(int count)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = 4 * _random.NextFloat() - 2;
        }

        return values;
    }

    /// <summary>Floats of which one in 16 is NaN, infinite, or a zero of either sign, and many are equal.</summary>
    private float[] Special(int count)
    {
        float[] values = Floats(count);
        for (int i = 0; i < count; i++)
        {
            values[i] = _random.NextBelow(64) switch
            {
                0 => float.NaN,
                1 => float.PositiveInfinity,
                2 => -0f,
                3 => 0f,
                < 16 => MathF.Round(values[i]),
                _ => values[i],
            };
        }

        return values;
    }
}
