using ConvNet.Engine.Geometry;

namespace ConvNet.Gpu.Kernels.Normalization;

/// <summary>Where the elements of a sample lie.</summary>
/// <param name="shape">Of the sample.</param>
internal readonly struct ElementPlaces(Shape shape)
{
    /// <summary>Elements.</summary>
    public readonly int Count = shape.Count;

    /// <summary>Floats from one sample to the next.</summary>
    public readonly int Stride = shape.Blocks * shape.Area * 8;

    private readonly int _area = shape.Area;

    /// <summary>The place of an element that is counted in logical order, C·H·W.</summary>
    public int Of(int element)
    {
        int c = element / _area;
        return ((c >> 3) * _area + element - c * _area) * 8 + (c & 7);
    }
}
