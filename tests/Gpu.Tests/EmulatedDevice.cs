using ConvNet.Gpu.Devices;

namespace ConvNet.Gpu.Tests;

/// <summary>The processor in place of a GPU, for the tests of a class.</summary>
public sealed class EmulatedDevice : IDisposable
{
    public KernelDevice Device { get; } = KernelDevice.Emulated();

    public void Dispose() => Device.Dispose();
}
