using System.Runtime.InteropServices;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Threads;

/// <summary>
/// The values between two layers, for up to <see cref="Capacity"/> samples, in blocks of 8 channels: (N, C/8, H, W, 8).
/// The memory is 64-byte aligned and never moves. Lanes past the last channel are zero, and every layer keeps them zero.
/// </summary>
public sealed unsafe class Activation : IDisposable
{
    private readonly bool _isView;
    private float* _data;

    public Activation(Shape shape, int capacity)
        : this(shape, capacity, isView: false)
    {
        _data = (float*)NativeMemory.AlignedAlloc((nuint)Math.Max(64, Length * sizeof(float)), 64);
        NativeMemory.Clear(_data, (nuint)(Length * sizeof(float)));
        GC.AddMemoryPressure(Math.Max(64, Length * sizeof(float)));
    }

    private Activation(Shape shape, int capacity, bool isView)
    {
        Shape = shape;
        Capacity = capacity;
        SampleStride = checked(shape.Blocks * shape.Area * 8);
        Length = checked((long)SampleStride * capacity);
        _isView = isView;
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

    /// <summary>Some samples of another activation; it has no memory of its own, and needs <see cref="Show"/> first.</summary>
    internal static Activation View(Shape shape, int capacity) => new(shape, capacity, isView: true);

    /// <summary>Over memory of somebody else, which is zero, aligned to 64 bytes and there for as long as this is used.</summary>
    internal static Activation Over(float* memory, Shape shape, int capacity) => new(shape, capacity, isView: true) { _data = memory };

    /// <summary>Makes a view show the samples from <paramref name="first"/> on, as many as it has room for and the whole still has.</summary>
    internal void Show(Activation whole, int first) => _data = whole.Sample(first);

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_data == null || _isView)
        {
            _data = null;
            return;
        }

        NativeMemory.AlignedFree(_data);
        GC.RemoveMemoryPressure(Math.Max(64, Length * sizeof(float)));
        _data = null;
    }
}
