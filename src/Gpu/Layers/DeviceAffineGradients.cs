using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Normalization;
using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Layers;

/// <summary>dγ and dβ of a normalization whose backward sums stay on this worker: ordinary gradients; the mirror of <see cref="AffineGradients"/>.</summary>
internal sealed class DeviceAffineGradients(KernelDevice device, Parameter gamma, Parameter beta) : IDisposable
{
    private readonly DeviceBuffer<Float32> _leaves = new(device, "gradients of normalization");

    /// <summary>Rounds the shards' sums, adds them to the roots of both tensors, and reports these as ready.</summary>
    public void Reduce(PlaneSums sums, DeviceStep step)
    {
        Reduce(beta, sums.FirstLeaves, sums.Lanes, step);
        Reduce(gamma, sums.SecondLeaves, sums.Lanes, step);
    }

    public void Dispose() => _leaves.Dispose();

    private void Reduce(Parameter parameter, ILGPU.ArrayView<Float64> sums, int lanes, DeviceStep step)
    {
        int length = step.Shards.Count * parameter.Count;
        _leaves.Reserve(length);
        device.Run(ShardStatistics.Round, length, sums, _leaves.View, lanes, parameter.Count);
        step.Gradients.Finish(parameter, _leaves, step);
    }
}
