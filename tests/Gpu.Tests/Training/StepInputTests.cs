using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Training;
using Xunit;

namespace ConvNet.Gpu.Tests.Training;

/// <summary>The processor's memory that a device reads samples from.</summary>
public sealed class StepInputTests : IClassFixture<EmulatedDevice>, IDisposable
{
    private static readonly Shape Shape = new(3, 2, 2);

    private readonly KernelDevice _device;
    private readonly StepInput _input;
    private DeviceTensor? _tensor;

    public StepInputTests(EmulatedDevice emulated)
    {
        _device = emulated.Device;
        _input = new StepInput(_device, Shape);
    }

    public void Dispose()
    {
        _input.Dispose();
        _tensor?.Dispose();
    }

    [Fact]
    public void The_device_copies_from_the_memory_itself()
    {
        Activation samples = _input.Reserve(2);
        samples[1, 2, 1, 1] = 5;
        DeviceTensor tensor = _input.Send(2, ref _tensor);

        // Too late for a copy that the processor had made before.
        samples[1, 2, 1, 1] = 6;
        Assert.Equal(6, Read(tensor, samples: 2));
    }

    [Fact]
    public async Task Memory_that_grows_on_another_thread_is_the_input_from_then_on()
    {
        _input.Reserve(1)[0, 2, 1, 1] = 5;
        Assert.Equal(5, Read(_input.Send(1, ref _tensor), samples: 1));

        await Task.Run(() => _input.Reserve(8)[7, 2, 1, 1] = 7, TestContext.Current.CancellationToken);
        Assert.Equal(7, Read(_input.Send(8, ref _tensor), samples: 8));
        Assert.Same(_input.Reserve(8), _input.Reserve(3));
    }

    /// <summary>The last value of the last sample.</summary>
    private static float Read(DeviceTensor tensor, int samples)
    {
        using var values = new Activation(Shape, samples);
        tensor.Download(values, samples);
        return values[samples - 1, 2, 1, 1];
    }
}
