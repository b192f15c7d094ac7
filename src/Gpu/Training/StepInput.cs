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
internal sealed class StepInput(KernelDevice device, Shape shape) : IDisposable
{
    private readonly List<Activation> _outgrown = [];
    private Activation? _samples;
    private LockedMemory? _locked;

    /// <summary>Memory for at least as many samples; any thread may ask for it when no pass reads it.</summary>
    public Activation Reserve(int samples)
    {
        if (_samples is null || _samples.Capacity < samples)
        {
            if (_samples is not null)
            {
                // Still locked; the thread of the device unlocks it.
                _outgrown.Add(_samples);
            }

            _samples = new Activation(shape, samples);
        }

        return _samples;
    }

    /// <summary>The first samples for copies; for the thread of the device.</summary>
    public unsafe ArrayView<Float32> View(int samples)
    {
        Activation current = Reserve(samples);
        if (_outgrown.Count > 0)
        {
            Free(_outgrown);
        }

        _locked ??= device.Lock((nint)current.Data, current.Length);
        return _locked.View.SubView(0, checked(samples * current.SampleStride));
    }

    public void Dispose()
    {
        if (_samples is not null)
        {
            _outgrown.Add(_samples);
            _samples = null;
        }

        Free(_outgrown);
    }

    private void Free(List<Activation> outgrown)
    {
        if (_locked is not null)
        {
            device.Unlock(_locked);
            _locked = null;
        }

        outgrown.ForEach(samples => samples.Dispose());
        outgrown.Clear();
    }
}
