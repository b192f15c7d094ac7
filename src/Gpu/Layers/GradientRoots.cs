using System.Runtime.InteropServices;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels;
using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Layers;

/// <summary>Sums the shards' leaves of a gradient on the device in the order of the plan, as <see cref="GradientTree"/> does, and hands the roots on.</summary>
public sealed class GradientRoots
{
    private readonly KernelDevice _device;

    internal GradientRoots(KernelDevice device) => _device = device;

    /// <summary>Turns the leaves of one parameter into its roots, brings these to the processor, and tells the exchange that they are complete.</summary>
    /// <param name="leaves">For each shard of the plan <see cref="Parameter.Count"/> floats in logical order; used up.</param>
    public void Finish(Parameter parameter, DeviceBuffer<Float32> leaves, DeviceStep step)
    {
        int length = parameter.Count;
        ShardTable shards = step.Shards;
        if (shards.AdditionCount > 0)
        {
            _device.Run(ShardSums.Add, length, leaves.View, shards.Additions, shards.AdditionCount, length);
        }

        for (int root = 0; root < shards.RootLeaves.Count; root++)
        {
            Span<float> values = parameter.GradientRoot(root).AsSpan(0, length);
            leaves.Download(MemoryMarshal.Cast<float, Float32>(values), (long)shards.RootLeaves[root] * length);
        }

        step.Exchange.GradientReady(parameter);
    }
}
