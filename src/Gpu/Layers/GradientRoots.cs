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
/// processor while backward goes on. The exchange hears of a tensor when its roots are there.
/// </summary>
public sealed class GradientRoots : IDisposable
{
    private readonly KernelDevice _device;
    private readonly Dictionary<Parameter, Roots> _roots = [];

    internal GradientRoots(KernelDevice device) => _device = device;

    /// <summary>Turns the leaves of one parameter into its roots and sends these on their way, or leaves the one root where parameters are kept.</summary>
    /// <param name="leaves">For each shard of the plan <see cref="Parameter.Count"/> floats in logical order; used up, and free for the next launch.</param>
    public void Finish(Parameter parameter, DeviceBuffer<Float32> leaves, DeviceStep step)
    {
        int length = parameter.Count;
        ShardTable shards = step.Shards;
        if (shards.Additions.Count > 0)
        {
            _device.Run(ShardSums.Add, length, leaves.View, shards.Additions, length);
        }

        if (step.Kept is { } kept)
        {
            _device.CopyTo(kept.Gradient(parameter), leaves.View.SubView((long)shards.RootLeaves[0] * length, length));
            return;
        }

        if (!_roots.TryGetValue(parameter, out Roots? roots))
        {
            roots = new Roots(_device, parameter);
            _roots.Add(parameter, roots);
        }

        roots.Copy(leaves, shards.RootLeaves);
        step.Downloads.Add(roots, step);
    }

    public void Dispose()
    {
        foreach (Roots roots in _roots.Values)
        {
            roots.Dispose();
        }
    }

    /// <summary>The roots of one parameter, on their way to its gradient.</summary>
    private sealed class Roots(KernelDevice device, Parameter parameter) : IDownload, IDisposable
    {
        private readonly PinnedMemory<Float32> _memory = new(device);
        private int _count;

        public long Bytes => (long)_count * parameter.Count * sizeof(float);

        public void Copy(DeviceBuffer<Float32> leaves, IReadOnlyList<int> rootLeaves)
        {
            _count = rootLeaves.Count;
            int length = parameter.Count;
            for (int root = 0; root < _count; root++)
            {
                _memory.Receive(checked(_count * length), leaves.View.SubView((long)rootLeaves[root] * length, length), at: root * length);
            }
        }

        public void HandOn(DeviceStep step)
        {
            int length = parameter.Count;
            ReadOnlySpan<float> values = MemoryMarshal.Cast<Float32, float>(_memory.Span(_count * length));
            for (int root = 0; root < _count; root++)
            {
                values.Slice(root * length, length).CopyTo(parameter.GradientRoot(root));
            }

            step.Profile?.Begin(parameter.Layer, StepPhase.Update);
            step.Exchange.GradientReady(parameter);
            step.Profile?.End();
        }

        public void Dispose() => _memory.Dispose();
    }
}
