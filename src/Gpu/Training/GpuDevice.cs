using System.Collections.Concurrent;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Models;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Gpu.Devices;

namespace ConvNet.Gpu.Training;

/// <summary>
/// A GPU, or the processor emulating one, as what computes the passes of workers, with the bits of the processor's own kernels. Each runner has a
/// <see cref="KernelDevice"/> for itself, as these serve one thread; those of runners that have ended wait here for the next, with the kernels that
/// they have compiled.
/// </summary>
public sealed class GpuDevice : ComputeDevice
{
    private readonly Func<KernelDevice> _open;
    private readonly ConcurrentBag<KernelDevice> _free = [];
    private bool _isDisposed;

    private GpuDevice(Func<KernelDevice> open)
    {
        _open = open;
        KernelDevice first = open();
        (Name, Description) = (first.Name, first.Description);
        _free.Add(first);
    }

    public override string Name { get; }

    public override string Description { get; }

    /// <summary>The N of gpu:N.</summary>
    /// <exception cref="ConvNetException">There is no such device, or it cannot be opened (exit code 7).</exception>
    public static GpuDevice Open(int index) => new(() => KernelDevice.OpenCuda(index));

    /// <summary>The processor in place of a GPU, for tests: the same kernels, about a hundred times as slow as the processor's own.</summary>
    public static GpuDevice Emulated() => new(KernelDevice.Emulated);

    public override ModelRunner CreateRunner(Model model, ThreadTeam team, KernelSet kernels = KernelSet.Fast)
    {
        if (kernels != KernelSet.Fast)
        {
            throw ConvNetException.BadInput(
                $"{Name} computes with the bits of the fast kernels, but the job asks for the {kernels} kernels; use --device cpu, or leave that option out.");
        }

        KernelDevice device = _free.TryTake(out KernelDevice? known) ? known : _open();
        try
        {
            return new GpuNetwork(model, team, device, Return);
        }
        catch (ConvNetException)
        {
            Return(device);
            throw;
        }
    }

    /// <summary>Refuses a device that does not compute the bits of the processor, by a short training on both.</summary>
    /// <exception cref="ConvNetException">They differ (exit code 5), or the device cannot run the training (3, 4 or 7).</exception>
    public void DemandBits()
    {
        if (BitCheck.FaultOf(this) is { } fault)
        {
            throw new ConvNetException(
                ExitCode.TrainingFailed,
                $"{Description} does not compute the bits of this processor: {fault}. A job would end in other weights than elsewhere; " +
                "use --device cpu, and report it.");
        }
    }

    /// <summary>A runner that is disposed of later frees what it had by itself.</summary>
    public override void Dispose()
    {
        _isDisposed = true;
        while (_free.TryTake(out KernelDevice? device))
        {
            device.Dispose();
        }
    }

    private void Return(KernelDevice device)
    {
        if (_isDisposed || device.HasFailed)
        {
            device.Dispose();
        }
        else
        {
            _free.Add(device);
        }
    }
}
