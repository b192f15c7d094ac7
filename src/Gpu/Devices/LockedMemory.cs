using ConvNet.Gpu.Numerics;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// Memory of somebody else that is locked for copies by the device. Where the driver does not lock it, copies from it are slower and otherwise the same.
/// </summary>
internal sealed class LockedMemory : IDisposable
{
    private readonly CPUMemoryBuffer _memory;
    private readonly PageLockScope<Float32>? _lock;

    /// <param name="address">Of so many floats, which stay there until the end of this.</param>
    public LockedMemory(Accelerator accelerator, nint address, long length)
    {
        _memory = CPUMemoryBuffer.Create(accelerator, address, length, sizeof(float));
        try
        {
            _lock = accelerator.CreatePageLockFromPinned<Float32>(address, length);
        }
        catch (Exception e) when (e is CudaException or NotSupportedException)
        {
            // A page that somebody else has locked, or a limit of this machine.
        }
    }

    public ArrayView<Float32> View => new(_memory, 0, _memory.Length);

    public void Dispose()
    {
        _lock?.Dispose();
        _memory.Dispose();
    }
}
