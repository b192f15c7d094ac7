using ConvNet.Gpu.Devices;

namespace ConvNet.Gpu.Tests.Convolutions;

/// <summary>A device for the tests of one class, which run one after the other.</summary>
public sealed class EmulatedDevice : IDisposable
{
    public KernelDevice Device { get; } = KernelDevice.Emulated();

    public void Dispose() => Device.Dispose();
}
