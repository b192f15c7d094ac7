using ConvNet.Engine.Threads;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Numerics;
using ILGPU.Runtime;

namespace ConvNet.Gpu.Tests;

internal static class Uploads
{
    /// <summary>Copies the first samples of <paramref name="source"/> to a device, and waits.</summary>
    public static unsafe void Upload(this KernelDevice device, Activation source, int samples, DeviceTensor target)
    {
        int length = checked(samples * source.SampleStride);
        target.View.SubView(0, length).CopyFromCPU(device.Stream, new ReadOnlySpan<Float32>(source.Data, length));
        device.Synchronize();
    }
}
