using ILGPU;
using ILGPU.Runtime.Cuda;

namespace ConvNet.Gpu.Devices;

/// <summary>The GPUs of this machine.</summary>
/// <param name="Devices">In the driver's order; <c>CUDA_VISIBLE_DEVICES</c> limits them.</param>
/// <param name="Driver">The newest CUDA that the driver knows, or null without a driver.</param>
/// <param name="Problem">Why there is none, as a sentence without its end; null if there are some.</param>
public sealed record GpuList(IReadOnlyList<GpuDescription> Devices, string? Driver, string? Problem)
{
    /// <summary>Asks the driver; without one nothing is loaded.</summary>
    public static GpuList Find()
    {
        string? problem = CudaDriver.Problem();
        if (problem is not null)
        {
            return new GpuList([], CudaDriver.Version(), problem);
        }

        using Context context = KernelDevice.CreateContext(builder => builder.Cuda());
        var devices = new List<GpuDescription>();
        foreach (CudaDevice device in context.GetCudaDevices())
        {
            devices.Add(new GpuDescription(devices.Count, device.Name, device.MemorySize, device.Architecture?.ToString() ?? "unknown architecture"));
        }

        return new GpuList(
            devices, CudaDriver.Version(), devices.Count > 0 ? null : $"ILGPU knows no instruction set for the driver's CUDA {CudaDriver.Version()}");
    }
}
