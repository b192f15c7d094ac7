namespace ConvNet.Engine.Threads;

/// <summary>Floats at a fixed address that is a multiple of 64 bytes. Valid for as long as the object is reachable.</summary>
internal sealed unsafe class AlignedBuffer
{
    private const int Alignment = 64;

    private readonly float[] _memory;

    /// <param name="length">Floats; they start as zeros.</param>
    public AlignedBuffer(long length)
    {
        _memory = GC.AllocateArray<float>(checked((int)(length + Alignment / sizeof(float))), pinned: true);
        Length = length;
        nint address = (nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _memory[0]);
        Data = (float*)((address + Alignment - 1) & ~(nint)(Alignment - 1));
    }

    public long Length { get; }

    public float* Data { get; }
}
