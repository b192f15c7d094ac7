using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Training;

/// <summary>
/// The samples of a pass in the processor's memory, from which the device copies by itself. They must keep their values until the processor has waited for
/// the pass.
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

    /// <summary>The first samples for copies; for the thread of the device.</summary>
    public ArrayView<Float32> View(int samples)
    {
        Activation current = Reserve(samples);
        FreeOutgrown();
        return _memory!.View.SubView(0, checked(samples * current.SampleStride));
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
