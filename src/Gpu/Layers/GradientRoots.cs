using System.Runtime.InteropServices;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels;
using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Layers;

/// <summary>
/// Sums the shards' leaves of a gradient on the device in the order of the plan, as <see cref="GradientTree"/> does, and brings the roots to the
/// processor while backward goes on. The exchange hears of a tensor when its roots are there: at the next occasion on which the processor
/// has waited for the device anyway, and at the latest at the end of backward.
/// </summary>
public sealed class GradientRoots : IDisposable
{
    /// <summary>Floats that may be under way before the processor waits for them, so that the exchange has something to send: 16 MiB.</summary>
    private const long MaxPending = 4 << 20;

    private readonly KernelDevice _device;
    private readonly Dictionary<Parameter, PinnedMemory<Float32>> _memory = [];
    private readonly Queue<(Parameter Parameter, long Waits)> _pending = [];
    private long _pendingFloats;

    internal GradientRoots(KernelDevice device) => _device = device;

    /// <summary>Turns the leaves of one parameter into its roots and sends these on their way.</summary>
    /// <param name="leaves">
    /// For each shard of the plan <see cref="Parameter.Count"/> floats in logical order; used up, and free for what is launched next.
    /// </param>
    public void Finish(Parameter parameter, DeviceBuffer<Float32> leaves, DeviceStep step)
    {
        int length = parameter.Count;
        ShardTable shards = step.Shards;
        if (shards.AdditionCount > 0)
        {
            _device.Run(ShardSums.Add, length, leaves.View, shards.Additions, shards.AdditionCount, length);
        }

        int roots = shards.RootLeaves.Count;
        ILGPU.ArrayView<Float32> target = MemoryOf(parameter).View(checked(roots * length));
        for (int root = 0; root < roots; root++)
        {
            ILGPU.Runtime.ArrayViewExtensions.CopyTo(
                leaves.View.SubView((long)shards.RootLeaves[root] * length, length), _device.Stream, target.SubView((long)root * length, length));
        }

        _pending.Enqueue((parameter, _device.Waits));
        _pendingFloats += target.Length;
        if (_pendingFloats > MaxPending)
        {
            FlushAll(step);
        }
    }

    /// <summary>Hands on what has come since the processor last waited for the device.</summary>
    public void Flush(DeviceStep step)
    {
        while (_pending.TryPeek(out (Parameter Parameter, long Waits) oldest) && oldest.Waits < _device.Waits)
        {
            _pending.Dequeue();
            HandOn(oldest.Parameter, step);
        }
    }

    /// <summary>Waits, and hands everything on.</summary>
    public void FlushAll(DeviceStep step)
    {
        if (_pending.Count > 0)
        {
            _device.Synchronize();
            Flush(step);
        }
    }

    /// <summary>Forgets what a step has left that was broken off.</summary>
    internal void Clear()
    {
        _pending.Clear();
        _pendingFloats = 0;
    }

    public void Dispose()
    {
        foreach (PinnedMemory<Float32> memory in _memory.Values)
        {
            memory.Dispose();
        }
    }

    private void HandOn(Parameter parameter, DeviceStep step)
    {
        int length = parameter.Count;
        int roots = step.Shards.RootLeaves.Count;
        ReadOnlySpan<float> values = MemoryMarshal.Cast<Float32, float>(MemoryOf(parameter).Span(roots * length));
        for (int root = 0; root < roots; root++)
        {
            values.Slice(root * length, length).CopyTo(parameter.GradientRoot(root));
        }

        _pendingFloats -= values.Length;
        step.Profile?.Begin(parameter.Layer, StepPhase.Update);
        step.Exchange.GradientReady(parameter);
        step.Profile?.End();
    }

    private PinnedMemory<Float32> MemoryOf(Parameter parameter)
    {
        if (!_memory.TryGetValue(parameter, out PinnedMemory<Float32>? memory))
        {
            memory = new PinnedMemory<Float32>(_device);
            _memory.Add(parameter, memory);
        }

        return memory;
    }
}
