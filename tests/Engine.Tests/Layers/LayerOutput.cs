using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Tests.Layers;

/// <summary>Copies between blocked activations and (N, C, H, W) arrays.</summary>
internal static class LayerOutput
{
    public static void Store(ReadOnlySpan<float> values, Activation activation)
    {
        for (int i = 0; i < values.Length; i++)
        {
            At(activation, i) = values[i];
        }
    }

    public static float[] Read(Activation activation, int samples)
    {
        var values = new float[samples * activation.Shape.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = At(activation, i);
        }

        return values;
    }

    private static ref float At(Activation activation, int i)
    {
        Shape shape = activation.Shape;
        return ref activation[i / shape.Count, i % shape.Count / shape.Area, i % shape.Area / shape.W, i % shape.W];
    }
}
