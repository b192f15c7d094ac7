using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Training;

/// <summary>
/// The samples of a pass: in the processor's memory, from which the device copies by itself, and on the device. Those of the next step may go there while
/// one runs. What is filled must keep its values until the processor has waited for the pass that reads it.
/// </summary>
internal sealed unsafe class StepInput(KernelDevice device, Shape shape) : IDisposable
{
    private readonly List<HostMemory<Float32>> _outgrown = [];
    private HostMemory<Float32>? _memory;
    private Activation? _samples;
    private DeviceTensor? _tensor;
    private int _filled;
    private int _sentAhead;

    /// <summary>
    /// Memory for at least as many samples, to be filled anew; any thread may ask for it when no pass reads it.
    /// </summary>
    public Activation Reserve(int samples)
    {
        Volatile.Write(ref _filled, 0);
        _sentAhead = 0;
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

    /// <summary>So many samples are there; any thread may say so.</summary>
    public void Filled(int samples) => Volatile.Write(ref _filled, samples);

    /// <summary>Has the device copy the samples beside what it does now, if they are there; for the thread of the device.</summary>
    public void SendAhead()
    {
        if (Volatile.Read(ref _filled) is > 0 and int samples)
        {
            using (device.Aside())
            {
                Copy(samples);
            }

            (_filled, _sentAhead) = (0, samples);
        }
    }

    /// <summary>The first samples on the device, which has them already if they were sent ahead; for the thread of the device.</summary>
    public DeviceTensor Send(int samples)
    {
        if (_sentAhead != samples)
        {
            Copy(samples);
        }

        // Whoever does not fill it anew may still have changed it.
        (_filled, _sentAhead) = (0, 0);
        return _tensor!;
    }

    public void Dispose()
    {
        if (_memory is not null)
        {
            _outgrown.Add(_memory);
            (_memory, _samples) = (null, null);
        }

        FreeOutgrown();
        _tensor?.Dispose();
    }

    private void Copy(int samples)
    {
        Activation filled = _samples ?? Reserve(samples);
        FreeOutgrown();
        DeviceTensor tensor = DeviceTensor.Reserve(ref _tensor, device, shape, filled.Capacity);
        tensor.Receive(_memory!.View.SubView(0, checked(samples * filled.SampleStride)));
    }

    private void FreeOutgrown()
    {
        _outgrown.ForEach(device.Free);
        _outgrown.Clear();
    }
}
