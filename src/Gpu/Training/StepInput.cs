using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Training;

/// <summary>
/// The samples of a pass in the processor's memory, from which the device copies by itself. They must keep their values until the processor has waited for the
/// pass that reads them.
/// </summary>
internal sealed unsafe class StepInput(KernelDevice device, Shape shape) : IDisposable
{
    private readonly List<HostMemory<Float32>> _outgrown = [];
    private HostMemory<Float32>? _memory;
    private Activation? _samples;

    /// <summary>Memory for at least as many samples; any thread may ask for it when no pass reads it.</summary>
    public Activation Reserve(int samples)
    {
        if (_samples is null || _samples.Capacity < samples)
        {
            if (_memory is not null)
            {
                // Only the thread of the device may give it up.
                _outgrown.Add(_memory);
            }

            _memory = device.AllocateHost<Float32>(checked((long)shape.Blocks * shape.Area * 8 * samples));
            _samples = Activation.Over((float*)_memory.Address, shape, samples);
        }

        return _samples;
    }

    /// <summary>Has the device copy the first samples to a tensor, which is made or grown for them; for the thread of the device.</summary>
    public DeviceTensor Send(int samples, ref DeviceTensor? tensor)
    {
        Activation filled = Reserve(samples);
        FreeOutgrown();
        DeviceTensor x = DeviceTensor.Reserve(ref tensor, device, shape, filled.Capacity);
        x.Receive(_memory!.View.SubView(0, checked(samples * filled.SampleStride)));
        return x;
    }

    public void Dispose()
    {
        if (_memory is not null)
        {
            _outgrown.Add(_memory);
            (_memory, _samples) = (null, null);
        }

        FreeOutgrown();
    }

    private void FreeOutgrown()
    {
        _outgrown.ForEach(device.Free);
        _outgrown.Clear();
    }
}
