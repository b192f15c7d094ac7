using System.Runtime.InteropServices;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Contracts.Wire;

/// <summary>
/// Batch-norm sums as floats on the wire. Each root is one int64 (its count) and two float64 per channel, bit for bit, in the
/// space of 2 + 4·C floats.
/// </summary>
public static class BatchNormPayload
{
    public static TensorBlock Write(Moments[] roots) =>
        Write(roots.Length, roots[0].Mean.Length, i => (roots[i].Count, roots[i].Mean, roots[i].M2));

    public static TensorBlock Write(BackwardSums[] roots) =>
        Write(roots.Length, roots[0].Dy.Length, i => (0, roots[i].Dy, roots[i].DyXhat));

    /// <exception cref="ConvNetException">The floats are not so many roots (exit code 3).</exception>
    public static Moments[] ReadMoments(TensorBlock block, int roots) =>
        Read(block, roots, (count, mean, m2) => new Moments(count, mean, m2));

    /// <exception cref="ConvNetException">The floats are not so many roots (exit code 3).</exception>
    public static BackwardSums[] ReadSums(TensorBlock block, int roots) =>
        Read(block, roots, (_, dy, dyXhat) => new BackwardSums(dy, dyXhat));

    /// <summary>Floats of one root.</summary>
    public static int RootLength(int channels) => 2 + 4 * channels;

    private static TensorBlock Write(int roots, int channels, Func<int, (long Count, double[] First, double[] Second)> values)
    {
        int stride = RootLength(channels);
        var floats = new float[roots * stride];
        for (int root = 0; root < roots; root++)
        {
            (long count, double[] first, double[] second) = values(root);
            Span<float> target = floats.AsSpan(root * stride, stride);
            MemoryMarshal.Cast<float, long>(target)[0] = count;
            Span<double> sums = MemoryMarshal.Cast<float, double>(target[2..]);
            first.CopyTo(sums);
            second.CopyTo(sums[channels..]);
        }

        return new TensorBlock(floats, 0, floats.Length);
    }

    private static T[] Read<T>(TensorBlock block, int roots, Func<long, double[], double[], T> make)
    {
        int stride = roots > 0 ? block.Length / roots : 0;
        if (stride < RootLength(1) || stride * roots != block.Length || (stride - 2) % 4 != 0)
        {
            throw ConvNetException.BadInput($"{block.Length} floats are not the sums of {roots} roots of a batch norm.");
        }

        int channels = (stride - 2) / 4;
        var values = new T[roots];
        for (int root = 0; root < roots; root++)
        {
            ReadOnlySpan<float> source = block.Span.Slice(root * stride, stride);
            ReadOnlySpan<double> sums = MemoryMarshal.Cast<float, double>(source[2..]);
            values[root] = make(MemoryMarshal.Cast<float, long>(source)[0], sums[..channels].ToArray(), sums[channels..(2 * channels)].ToArray());
        }

        return values;
    }
}
