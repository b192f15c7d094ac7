using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;

namespace ConvNet.Gpu.Training;

/// <summary>What training a model takes of a device's memory: an upper bound, from shapes alone.</summary>
internal static class MemoryEstimate
{
    /// <summary>Of a context, its stream and the code of the kernels.</summary>
    private const long Fixed = 64L << 20;

    /// <summary>Bytes for passes of so many samples, with the weights' gradients.</summary>
    public static long Of(Model model, int samples)
    {
        long ends = Bytes(model.Spec.Input) + Bytes(model.Sequence.Output);
        return Fixed + (samples * (ends + model.Layers.Sum(Activations))) + model.Layers.Sum(Weights);
    }

    /// <summary>Of one sample: the output, what backward keeps of it, and the gradient of the input.</summary>
    private static long Activations(Layer layer) => (2 * Bytes(layer.Output)) + Bytes(layer.Input);

    private static long Weights(Layer layer) => layer.Parameters.Sum(parameter => (long)parameter.Count) * sizeof(float);

    private static long Bytes(Shape shape) => (long)shape.Blocks * shape.Area * 8 * sizeof(float);
}
