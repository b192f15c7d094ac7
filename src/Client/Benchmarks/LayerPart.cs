using ConvNet.Engine;
using ConvNet.Engine.Layers;

namespace ConvNet.Client.Benchmarks;

/// <summary>One phase of one layer in a training step: what it took, and the work it stands for.</summary>
/// <param name="Flops">
/// Nominal: 2 for each multiply-add of the definition, whatever the algorithm saves. 0 for layers without multiplications.
/// </param>
/// <param name="Bytes">Nominal: every value read or written once. 0 where <paramref name="Flops"/> count.</param>
internal sealed record LayerPart(Layer Layer, StepPhase Phase, double Seconds, double Flops, double Bytes)
{
    /// <summary>Beyond this multiple of the peak, a neighbour has done the work within its own pass, or there was none to do.</summary>
    private const double Implausible = 20;

    public static LayerPart Of(Layer layer, StepPhase phase, int batch, double seconds)
    {
        double flops = phase is StepPhase.Load or StepPhase.Update ? 0 : (double)MultiplyAdds(layer) * 2 * batch;
        return new LayerPart(layer, phase, seconds, flops, flops > 0 ? 0 : Traffic(layer, phase, batch));
    }

    /// <summary>Null if the layer has no multiplications, or takes no time of its own.</summary>
    public double? Gigaflops(MachinePeak peak) => Rate(Flops, peak.Gigaflops);

    /// <summary>Null if the layer has multiplications, or takes no time of its own.</summary>
    public double? Gigabytes(MachinePeak peak) => Rate(Bytes, peak.Gigabytes);

    /// <summary>
    /// 0 … 1, beyond 1 if an algorithm saves multiplications or a cache saves traffic; null where neither rate is known.
    /// </summary>
    public double? ShareOfPeak(MachinePeak peak) => Gigaflops(peak) / peak.Gigaflops ?? Gigabytes(peak) / peak.Gigabytes;

    /// <summary>Of one sample, in each of the three phases: K · C/groups · R · S for every output pixel.</summary>
    private static long MultiplyAdds(Layer layer) => layer switch
    {
        Convolution => (long)layer.Parameters[0].Count * layer.Output.Area,
        LocallyConnected => layer.Parameters[0].Count,
        _ => 0,
    };

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

    private double? Rate(double work, double peak)
    {
        double rate = work / Seconds / 1e9;
        return work > 0 && rate < Implausible * peak ? rate : null;
    }
}
