using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Layers;
using Xunit;

namespace ConvNet.Gpu.Tests.Layers;

/// <summary>When copies are handed on: never before the processor has waited for the device since they began.</summary>
public sealed class DownloadsTests : IClassFixture<EmulatedDevice>, IDisposable
{
    private readonly KernelDevice _device;
    private readonly DeviceStep _step;
    private readonly List<string> _handedOn = [];

    public DownloadsTests(EmulatedDevice emulated)
    {
        _device = emulated.Device;
        _step = new DeviceStep(_device);
    }

    public void Dispose() => _step.Dispose();

    [Fact]
    public void A_copy_is_handed_on_after_the_next_wait_and_once()
    {
        Add("a", 8);
        _step.Downloads.Flush(_step);
        Assert.Empty(_handedOn);

        _device.Synchronize();
        Add("b", 8);
        _step.Downloads.Flush(_step);
        Assert.Equal(["a"], _handedOn);

        _step.Downloads.FlushAll(_step);
        _step.Downloads.FlushAll(_step);
        Assert.Equal(["a", "b"], _handedOn);
    }

    [Fact]
    public void Copies_that_are_many_bytes_together_are_waited_for()
    {
        Add("a", Downloads.MaxPending / 2);
        Add("b", Downloads.MaxPending / 2);
        Assert.Empty(_handedOn);
        Add("c", 1);
        Assert.Equal(["a", "b", "c"], _handedOn);

        // What was handed on does not count any more.
        Add("d", Downloads.MaxPending);
        Assert.Equal(3, _handedOn.Count);
    }

    [Fact]
    public void A_step_that_was_broken_off_hands_nothing_on_to_the_next()
    {
        Add("a", Downloads.MaxPending);
        _step.Downloads.Clear();
        Add("b", 1);
        _step.Downloads.FlushAll(_step);
        Assert.Equal(["b"], _handedOn);
    }

    private void Add(string name, long bytes) => _step.Downloads.Add(new Named(name, bytes, _handedOn), _step);

    private sealed class Named(string name, long bytes, List<string> handedOn) : IDownload
    {
        public long Bytes => bytes;

        public void HandOn(DeviceStep step) => handedOn.Add(name);
    }
}
