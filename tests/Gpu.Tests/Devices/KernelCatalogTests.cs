using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Numerics;
using ILGPU;
using Xunit;

namespace ConvNet.Gpu.Tests.Devices;

public sealed class KernelCatalogTests
{
    [Fact]
    public void A_kernel_that_is_not_in_the_catalog_is_refused()
    {
        using var device = KernelDevice.Emulated();
        using var memory = new DeviceBuffer<Float32>(device, "test");

        ArgumentException error = Assert.Throws<ArgumentException>(() => device.Run(Unlisted, 1, memory.Reserve(1).View));

        Assert.Contains("is not in the catalog", error.Message, StringComparison.Ordinal);
    }

    private static void Unlisted(Index1D i, ArrayView<Float32> x) => x[i] = x[i] + x[i];
}
