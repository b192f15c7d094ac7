using ConvNet.Engine.Layers;

namespace ConvNet.Client.Benchmarks;

/// <summary>One phase of one layer in a training step: what it took, and the work it stands for.</summary>
/// <param name="Flops">
/// Nominal: 2 for each multiply-add of the definition, whatever the algorithm saves. 0 for layers without multiplications, and for the
/// gradient of the network's input, which no step computes.
/// </param>
/// <param name="Bytes">Nominal: every value read or written once. 0 in the phases that multiply.</param>
internal sealed record LayerPart(Layer Layer, StepPhase Phase, double Seconds, double Flops, double Bytes)
{
    /// <summary>Beyond this multiple of the peak, a neighbour has moved the bytes within its own pass.</summary>
    private const double Implausible = 20;

    public static LayerPart Of(Layer layer, StepPhase phase, int batch, double seconds)
    {
        long multiplyAdds = phase is StepPhase.Load or StepPhase.Update ? 0 : MultiplyAdds(layer);
        if (multiplyAdds == 0)
        {
            return new LayerPart(layer, phase, seconds, Flops: 0, Traffic(layer, phase, batch));
        }

        bool skipped = phase == StepPhase.BackwardData && ReadsNetworkInput(layer);
        return new LayerPart(layer, phase, seconds, skipped ? 0 : 2.0 * multiplyAdds * batch, Bytes: 0);
    }

    /// <summary>Null if there is nothing to multiply.</summary>
    public double? Gigaflops => Rate(Flops);

    /// <summary>Null if the layer has multiplications, or takes no time of its own.</summary>
    public double? Gigabytes(MachinePeak? peak) => Rate(Bytes) is { } rate && (peak is null || rate < Implausible * peak.Gigabytes) ? rate : null;

    /// <summary>
    /// 0 … 1, beyond 1 if an algorithm saves multiplications or a cache saves traffic; null where neither rate is known, or the peak is not.
    /// </summary>
    public double? ShareOfPeak(MachinePeak? peak) => Gigaflops / peak?.Gigaflops ?? Gigabytes(peak) / peak?.Gigabytes;

    /// <summary>Of one sample, in each of the three phases: K · C/groups · R · S for every output pixel.</summary>
    private static long MultiplyAdds(Layer layer) => layer switch
    {
        Convolution => (long)layer.Parameters[0].Count * layer.Output.Area,
        LocallyConnected => layer.Parameters[0].Count,
        _ => 0,
    };

    /// <summary>The first layer, and of a residual block in its place the first of each branch: "0", "0.main.0", "0.shortcut.0".</summary>
    private static bool ReadsNetworkInput(Layer layer) => layer.Name.Split('.').All(part => part is "0" or "main" or "shortcut");

    private static double Traffic(Layer layer, StepPhase phase, int batch)
    {
        double parameters = layer.Parameters.Sum(parameter => (double)parameter.Count);
        double floats = phase switch
        {
            StepPhase.Load => 2 * parameters,
            StepPhase.Update => 5 * parameters,
            StepPhase.Forward => (double)batch * (layer.Input.Count + layer.Output.Count),
            StepPhase.BackwardData => (double)batch * (2 * layer.Input.Count + layer.Output.Count),
            _ => 0,
        };
        return floats * sizeof(float);
    }

    private double? Rate(double work) => work > 0 && Seconds > 0 ? work / Seconds / 1e9 : null;
}
