using ConvNet.Engine.Training;

namespace ConvNet.Grains.Workers;

/// <summary>What the workers of a silo compute on: the first worker on the first device, the second on the second, and round again.</summary>
/// <param name="devices">At least one; not owned.</param>
public sealed class SiloDevices(IReadOnlyList<ComputeDevice> devices)
{
    public static SiloDevices Processor { get; } = new([CpuDevice.Instance]);

    /// <summary>As a silo announces them: "cpu", "gpu:0,gpu:1".</summary>
    public string Names { get; } = string.Join(',', devices.Select(device => device.Name));

    /// <param name="worker">Its key, {silo}/{number}.</param>
    public ComputeDevice Of(string worker) => devices[int.Parse(worker.AsSpan(worker.IndexOf('/') + 1)) % devices.Count];
}
