using System.Runtime.InteropServices;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Threads;

/// <summary>
/// The values between two layers, for up to <see cref="Capacity"/> samples, in blocks of 8 channels: (N, C/8, H, W, 8).
/// The memory is 64-byte aligned and never moves. Lanes past the last channel are zero, and every layer keeps them zero.
/// </summary>
public sealed unsafe class Activation : IDisposable
{
    private float* _data;

    public Activation(Shape shape, int capacity)
    {
        Shape = shape;
        Capacity = capacity;
        SampleStride = checked(shape.Blocks * shape.Area * 8);
        Length = checked((long)SampleStride * capacity);
        _data = (float*)NativeMemory.AlignedAlloc((nuint)Math.Max(64, Length * sizeof(float)), 64);
        NativeMemory.Clear(_data, (nuint)(Length * sizeof(float)));
        GC.AddMemoryPressure(Math.Max(64, Length * sizeof(float)));
    }

    ~Activation() => Free();

    public Shape Shape { get; }

    public int Capacity { get; }

    /// <summary>Floats from one sample to the next.</summary>
    public int SampleStride { get; }

    /// <summary>Floats in all.</summary>
    public long Length { get; }

    /// <summary>The first float of sample 0.</summary>
    public float* Data => _data != null ? _data : throw new ObjectDisposedException(nameof(Activation));

    /// <summary>The first float of sample <paramref name="n"/>.</summary>
    public float* Sample(int n) => Data + (long)n * SampleStride;

    public Span<float> SampleSpan(int n) => new(Sample(n), SampleStride);

    /// <summary>8 channels of a sample: (H, W, 8).</summary>
    public Span<float> Block(int n, int block) => new(Sample(n) + (long)block * Shape.Area * 8, Shape.Area * 8);

    /// <summary>Where (n, c, h, w) lies, in floats from <see cref="Data"/>.</summary>
    public long Index(int n, int c, int h, int w) =>
        (long)n * SampleStride + ((((long)(c >> 3) * Shape.H + h) * Shape.W + w) << 3) + (c & 7);

    public ref float this[int n, int c, int h, int w] => ref Data[Index(n, c, h, w)];

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_data == null)
        {
            return;
        }

        NativeMemory.AlignedFree(_data);
        GC.RemoveMemoryPressure(Math.Max(64, Length * sizeof(float)));
        _data = null;
    }
}
