using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;

namespace ConvNet.Gpu.Training;

/// <summary>What training a model takes of a device's memory: an upper bound, from shapes alone.</summary>
internal static class MemoryEstimate
{
    /// <summary>For the code of kernels and what the driver rounds up.</summary>
    public const long Margin = 64L << 20;

    /// <summary>A layer's values with what it transforms them to for its products, at most; layers share that memory.</summary>
    private const int Scratch = 3;

    /// <param name="samples">Of the largest step.</param>
    /// <param name="shards">Among which they are; each has gradients of its own.</param>
    /// <returns>Bytes.</returns>
    public static long Of(Model model, int samples, int shards)
    {
        long ends = Bytes(model.Spec.Input) + (2 * Bytes(model.Sequence.Output));
        long scratch = Scratch * model.Layers.Max(layer => Bytes(layer.Input) + Bytes(layer.Output));
        return Margin + (samples * (ends + scratch + model.Layers.Sum(Activations))) + ((shards + 2) * model.Layers.Sum(Weights));
    }

    /// <summary>Of one sample: the output, what backward keeps of it, and the gradient of the input.</summary>
    private static long Activations(Layer layer) => (2 * Bytes(layer.Output)) + Bytes(layer.Input);

    private static long Weights(Layer layer) => layer.Parameters.Sum(parameter => (long)parameter.Count) * sizeof(float);

    private static long Bytes(Shape shape) => (long)shape.Blocks * shape.Area * 8 * sizeof(float);
}
