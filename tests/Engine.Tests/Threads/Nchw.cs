using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Tests.Threads;

/// <summary>Plain (N, C, H, W) arrays to and from blocked activations.</summary>
internal static class Nchw
{
    /// <summary>Stores whole samples in the slots from 0 on.</summary>
    public static void Store(ReadOnlySpan<float> values, Activation activation)
    {
        for (int i = 0; i < values.Length; i++)
        {
            At(activation, i) = values[i];
        }
    }

    /// <summary>A new activation with whole samples.</summary>
    public static Activation From(Shape shape, ReadOnlySpan<float> values)
    {
        var activation = new Activation(shape, values.Length / shape.Count);
        Store(values, activation);
        return activation;
    }

    /// <summary>The first <paramref name="samples"/> samples.</summary>
    public static float[] Read(Activation activation, int samples)
    {
        var values = new float[samples * activation.Shape.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = At(activation, i);
        }

        return values;
    }

    /// <summary>True if the lanes past the last channel are zero in the first <paramref name="samples"/> samples.</summary>
    public static bool PaddingIsZero(Activation activation, int samples)
    {
        Shape shape = activation.Shape;
        for (int n = 0; n < samples; n++)
        {
            for (int c = shape.C; c < shape.Blocks * 8; c++)
            {
                for (int i = 0; i < shape.Area; i++)
                {
                    if (activation[n, c, i / shape.W, i % shape.W] != 0)
                    {
                        return false;
                    }
                }
            }
        }

        return true;
    }

    private static ref float At(Activation activation, int i)
    {
        Shape shape = activation.Shape;
        return ref activation[i / shape.Count, i % shape.Count / shape.Area, i % shape.Area / shape.W, i % shape.W];
    }
}
