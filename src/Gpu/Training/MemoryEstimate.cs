using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;

namespace ConvNet.Gpu.Training;

/// <summary>What training a model takes of a device's memory: an upper bound, from shapes alone.</summary>
internal static class MemoryEstimate
{
    /// <summary>For the code of kernels, what the driver rounds up, and the sums of runs that are formed side by side (128 MiB at most).</summary>
    public const long Margin = 192L << 20;

    /// <summary>What Winograd's transforms make of a value at most, where a tile of 36 points stands for a few pixels at the edge.</summary>
    private const int PointsOfValue = 8;

    /// <summary>What they make of a weight: 36 points of 9 taps, and lanes that are filled up.</summary>
    private const int PointsOfWeight = 6;

    /// <summary>Points of both operands together: as many tiles are transformed at a time as find room in it.</summary>
    private const long MostPoints = 512L << 20;

    /// <param name="samples">Of the largest step.</param>
    /// <param name="shards">Among which they are; each has gradients of its own.</param>
    /// <returns>Bytes.</returns>
    public static long Of(Model model, int samples, int shards)
    {
        // The logits, their gradient, and the loss's exponentials in double.
        long ends = Bytes(model.Spec.Input) + (4 * Bytes(model.Sequence.Output));
        long largest = model.Layers.Max(layer => Bytes(layer.Input) + Bytes(layer.Output));
        // Gradients of weights run beside the rest, and have points of their own.
        long points = 2 * Math.Min(MostPoints, samples * PointsOfValue * largest);
        long weights = ((shards + PointsOfWeight + 2) * model.Layers.Sum(Weights)) + ((shards + 1) * PointsOfWeight * model.Layers.Max(Weights));
        return Margin + (samples * (ends + model.Layers.Sum(Activations))) + points + weights;
    }

    /// <summary>Of one sample: the output, what backward keeps of it, and the gradient of the input.</summary>
    private static long Activations(Layer layer) => (2 * Bytes(layer.Output)) + Bytes(layer.Input);

    private static long Weights(Layer layer) => layer.Parameters.Sum(parameter => (long)parameter.Count) * sizeof(float);

    private static long Bytes(Shape shape) => (long)shape.Blocks * shape.Area * 8 * sizeof(float);
}
