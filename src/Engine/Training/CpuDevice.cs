using ConvNet.Engine.Kernels;
using ConvNet.Engine.Models;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Training;

/// <summary>The processor. It holds nothing, so that one may serve everybody.</summary>
public sealed class CpuDevice : ComputeDevice
{
    /// <summary>Of every processor.</summary>
    public const string CommonName = "cpu";

    public static CpuDevice Instance { get; } = new();

    public override string Name => CommonName;

    public override ModelRunner CreateRunner(Model model, ThreadTeam team, KernelSet kernels = KernelSet.Fast) => new Network(model, team, kernels);

    public override void Dispose()
    {
    }
}
