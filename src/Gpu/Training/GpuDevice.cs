using ConvNet.Engine.Errors;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Models;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Gpu.Devices;

namespace ConvNet.Gpu.Training;

/// <summary>A GPU, or the processor emulating one, as what computes the passes of a worker, with the bits of the processor's own kernels.</summary>
public sealed class GpuDevice : ComputeDevice
{
    private readonly KernelDevice _device;

    private GpuDevice(KernelDevice device) => _device = device;

    public override string Name => _device.Name;

    /// <summary>Bytes of memory in all.</summary>
    public long MemorySize => _device.MemorySize;

    /// <summary>The N of gpu:N.</summary>
    /// <exception cref="ConvNetException">There is no such device (exit code 4).</exception>
    public static GpuDevice Open(int index) => new(KernelDevice.OpenCuda(index));

    /// <summary>The processor in place of a GPU, for tests: the same kernels, about a hundred times as slow as the processor's own.</summary>
    public static GpuDevice Emulated() => new(KernelDevice.Emulated());

    public override ModelRunner CreateRunner(Model model, ThreadTeam team, KernelSet kernels = KernelSet.Fast) => kernels == KernelSet.Fast
        ? new GpuNetwork(model, team, _device)
        : throw ConvNetException.BadInput(
            $"{Name} computes with the bits of the fast kernels, but the job asks for the {kernels} kernels; use --device cpu, or leave that option out.");

    public override void Dispose() => _device.Dispose();
}
