using System.Runtime.InteropServices;
using ConvNet.Engine.Errors;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// Memory of the processor from which and to which a card copies by itself: the driver's own, on pages of its own. To lock ordinary memory would lock what lies
/// beside it, too, and a driver does not lock a page twice. Zero at first.
/// </summary>
internal sealed unsafe class HostMemory<T> : IDisposable
    where T : unmanaged
{
    private const nuint Alignment = 64;

    private readonly Accelerator _accelerator;
    private readonly CPUMemoryBuffer _memory;
    private nint _address;

    /// <exception cref="ConvNetException">There is no room (exit code 7).</exception>
    public HostMemory(Accelerator accelerator, string device, long length)
    {
        (_accelerator, Length) = (accelerator, length);
        nuint bytes = checked((nuint)length * (nuint)sizeof(T));
        _address = Allocate(device, bytes);
        NativeMemory.Clear((void*)_address, bytes);
        _memory = CPUMemoryBuffer.Create(accelerator, _address, length, sizeof(T));
    }

    /// <summary>Elements.</summary>
    public long Length { get; }

    public nint Address => _address != 0 ? _address : throw new ObjectDisposedException(nameof(HostMemory<>));

    /// <summary>For copies.</summary>
    public ArrayView<T> View => new(_memory, 0, Length);

    public void Dispose()
    {
        if (_address == 0)
        {
            return;
        }

        _memory.Dispose();
        if (_accelerator is CPUAccelerator)
        {
            NativeMemory.AlignedFree((void*)_address);
        }
        else
        {
            using var binding = _accelerator.BindScoped();
            _ = ((delegate* unmanaged<nint, int>)CudaDriver.Function("cuMemFreeHost"))(_address);
        }

        _address = 0;
    }

    private nint Allocate(string device, nuint bytes)
    {
        if (_accelerator is CPUAccelerator)
        {
            return (nint)NativeMemory.AlignedAlloc(Math.Max(Alignment, bytes), Alignment);
        }

        nint address = 0;
        using var binding = _accelerator.BindScoped();
        int code = ((delegate* unmanaged<nint*, nuint, int>)CudaDriver.Function("cuMemAllocHost_v2"))(&address, Math.Max(Alignment, bytes));
        return code == 0 ? address : throw new ConvNetException(
            ExitCode.Resources,
            $"the driver cannot lock {bytes >> 20} MiB of this machine's memory for copies to {device} (code {code}). Free some memory, or use --device cpu.");
    }
}
