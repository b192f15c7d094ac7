using ConvNet.Engine.Errors;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Models;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Training;

/// <summary>What computes the passes of a worker: the processor, or another device that gives the same bits.</summary>
public abstract class ComputeDevice : IDisposable
{
    /// <summary>As in the option <c>--device</c>: "cpu", "gpu:0".</summary>
    public abstract string Name { get; }

    /// <summary>The name, with what it stands for where that is not plain: "gpu:0 (NVIDIA H100 80GB HBM3)".</summary>
    public virtual string Description => Name;

    /// <summary>Makes this device ready to run a model; the runner must be disposed before the device.</summary>
    /// <param name="model">What to run; no other runner may run it.</param>
    /// <param name="team">Threads of the processor; not owned.</param>
    /// <param name="kernels">Which kernels the processor uses.</param>
    /// <exception cref="ConvNetException">The device has no kernels for a layer of the model (exit code 3).</exception>
    public abstract ModelRunner CreateRunner(Model model, ThreadTeam team, KernelSet kernels = KernelSet.Fast);

    public abstract void Dispose();
}
