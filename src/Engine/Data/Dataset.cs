using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Data;

/// <summary>A training set and a test set with the statistics that normalize their pixels.</summary>
public sealed class Dataset
{
    /// <param name="name">A built-in name or the path it was read from; for messages only.</param>
    /// <param name="mean">One value for each channel, of pixels x/255; null: computed over the training set.</param>
    /// <param name="std">Likewise; given if and only if <paramref name="mean"/> is.</param>
    /// <param name="remarks">What a reader of these files should know; null: nothing.</param>
    /// <exception cref="ConvNetException">A set is empty, or the two sets don't fit together.</exception>
    public Dataset(
        string name, ImageSet train, ImageSet test, double[]? mean = null, double[]? std = null, IReadOnlyList<string>? remarks = null)
    {
        if (train.Count == 0 || test.Count == 0)
        {
            throw ConvNetException.BadInput(
                $"{name}: {train.Count} training and {test.Count} test images. Both sets need at least one image.");
        }

        if (train.Shape != test.Shape)
        {
            throw ConvNetException.BadInput(
                $"{name}: training images are {train.Shape} and test images are {test.Shape}. Both sets need the same shape.");
        }

        if (!train.ClassNames.SequenceEqual(test.ClassNames))
        {
            throw ConvNetException.BadInput(
                $"{name}: the training set has {train.ClassCount} classes and the test set {test.ClassCount}. Both sets need the same " +
                "classes.");
        }

        Name = name;
        Train = train;
        Test = test;
        if (mean is null || std is null)
        {
            (mean, std) = ChannelStatistics(train);
        }

        Mean = mean;
        Std = std;
        Sha256 = Hash(train, test);
        Remarks = remarks ?? [];
        Warnings = [.. ConstantImages.Describe(train, "training"), .. ConstantImages.Describe(test, "test")];
    }

    public string Name { get; }

    public ImageSet Train { get; }

    public ImageSet Test { get; }

    public Shape Shape => Train.Shape;

    public int ClassCount => Train.ClassCount;

    public IReadOnlyList<string> ClassNames => Train.ClassNames;

    /// <summary>Per channel, of pixels x/255.</summary>
    public IReadOnlyList<double> Mean { get; }

    /// <summary>Per channel, of pixels x/255; 1 for a channel that is constant.</summary>
    public IReadOnlyList<double> Std { get; }

    /// <summary>
    /// Lower-case SHA-256 over, for the training and then the test set: N, C, H, W and the number of classes as int64, the pixels, the
    /// labels as int32, all little-endian.
    /// </summary>
    public string Sha256 { get; }

    /// <summary>How the files were read and which were not, one phrase each.</summary>
    public IReadOnlyList<string> Remarks { get; }

    /// <summary>What is probably wrong with the images, one phrase each.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>The same data in grey (1) or colour (3 channels), normalized anew.</summary>
    /// <exception cref="ConvNetException">They don't fit in memory (exit code 3).</exception>
    public Dataset WithChannels(int channels) =>
        new(Name, GreyImages.Convert(Train, channels), GreyImages.Convert(Test, channels), remarks: Remarks);

    // Summed in index order, one pixel after the other, so that anybody can recompute the same doubles.
    private static (double[] Mean, double[] Std) ChannelStatistics(ImageSet set)
    {
        Shape shape = set.Shape;
        double[] mean = new double[shape.C];
        double[] std = new double[shape.C];
        double[] term = new double[256];
        double count = (double)set.Count * shape.Area;
        for (int c = 0; c < shape.C; c++)
        {
            for (int value = 0; value < 256; value++)
            {
                term[value] = value / 255.0;
            }

            mean[c] = SumChannel(set, c, term) / count;
            for (int value = 0; value < 256; value++)
            {
                double distance = (value / 255.0) - mean[c];
                term[value] = distance * distance;
            }

            double variance = SumChannel(set, c, term) / count;
            std[c] = variance > 1e-12 ? Math.Sqrt(variance) : 1;
        }

        return (mean, std);
    }

    private static double SumChannel(ImageSet set, int c, double[] term)
    {
        double sum = 0;
        int area = set.Shape.Area;
        for (int n = 0; n < set.Count; n++)
        {
            foreach (byte value in set.Image(n).Slice(c * area, area))
            {
                sum += term[value];
            }
        }

        return sum;
    }

    private static string Hash(params ReadOnlySpan<ImageSet> sets)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> header = stackalloc byte[5 * sizeof(long)];
        foreach (ImageSet set in sets)
        {
            BinaryPrimitives.WriteInt64LittleEndian(header, set.Count);
            BinaryPrimitives.WriteInt64LittleEndian(header[8..], set.Shape.C);
            BinaryPrimitives.WriteInt64LittleEndian(header[16..], set.Shape.H);
            BinaryPrimitives.WriteInt64LittleEndian(header[24..], set.Shape.W);
            BinaryPrimitives.WriteInt64LittleEndian(header[32..], set.ClassCount);
            hash.AppendData(header);
            foreach (ReadOnlyMemory<byte> block in set.Pixels)
            {
                hash.AppendData(block.Span);
            }

            hash.AppendData(MemoryMarshal.AsBytes(set.Labels));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
