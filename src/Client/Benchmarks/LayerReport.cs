using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Training;

namespace ConvNet.Client.Benchmarks;

/// <summary>
/// Where a training step's time goes: medians of all parts. With <see cref="Rest"/> and <see cref="Scatter"/> they add up to the step.
/// </summary>
internal sealed class LayerReport
{
    /// <param name="peak">Null if it is not known, as of every device but the processor.</param>
    public LayerReport(Model model, ComputeDevice device, int batch, int threads, int steps, MachinePeak? peak, StepClock clock)
    {
        (Model, Device, Layers, Batch, Threads, Steps, Peak) = (model.Spec, device, model.Layers, batch, threads, steps, peak);
        Kernels = clock.Kernels();
        Types = ModelTable.Rows(model).ToDictionary(row => row.Name, row => row.Type);
        Parts = [.. Layers.SelectMany(_ => Enum.GetValues<StepPhase>(), (layer, phase) =>
            LayerPart.Of(layer, phase, batch, clock.Seconds(layer.Index, phase)))];
        Input = clock.Seconds(Layers.Count, StepPhase.Load);
        Loss = clock.Seconds(Layers.Count, StepPhase.Forward);
        Statistics = clock.Seconds(Layers.Count, StepPhase.Update);
        Step = clock.StepSeconds();
        Rest = clock.RestSeconds();
        Scatter = Step - Input - Loss - Statistics - Rest - Parts.Sum(part => part.Seconds);
    }

    public ModelSpec Model { get; }

    /// <summary>What has computed.</summary>
    public ComputeDevice Device { get; }

    /// <summary>Launches and seconds of a step by kinds of kernels, as a device other than the processor tells them: means, by its own clock.</summary>
    public IReadOnlyList<(string Family, double Launches, double Seconds)> Kernels { get; }

    /// <summary>Depth first, children after their parent.</summary>
    public IReadOnlyList<Layer> Layers { get; }

    /// <summary>As in a model file, by layer name.</summary>
    public IReadOnlyDictionary<string, string> Types { get; }

    public int Batch { get; }

    public int Threads { get; }

    /// <summary>Measured steps.</summary>
    public int Steps { get; }

    public MachinePeak? Peak { get; }

    /// <summary>Every phase of every layer, also those without time.</summary>
    public IReadOnlyList<LayerPart> Parts { get; }

    /// <summary>Seconds to fill the input.</summary>
    public double Input { get; }

    /// <summary>Seconds in the loss and its gradient.</summary>
    public double Loss { get; }

    /// <summary>Seconds to move the running statistics.</summary>
    public double Statistics { get; }

    /// <summary>Seconds of a whole step.</summary>
    public double Step { get; }

    /// <summary>Seconds of the step that are in no part.</summary>
    public double Rest { get; }

    /// <summary>The median of the steps' sums minus the sum of the parts' medians; grows with the unrest of the machine.</summary>
    public double Scatter { get; }

    /// <summary>Nominal operations of a step.</summary>
    public double Flops => Parts.Sum(part => part.Flops);
}
