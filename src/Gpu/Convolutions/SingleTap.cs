using ConvNet.Gpu.Devices;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

/// <summary>The table of taps of a matrix product: one, without a shift.</summary>
internal sealed class SingleTap(KernelDevice device) : IDisposable
{
    private readonly DeviceBuffer<int> _taps = new(device, "taps");

    /// <summary>New memory is zero.</summary>
    public ArrayView<int> View => _taps.Reserve(3).View;

    public void Dispose() => _taps.Dispose();
}
