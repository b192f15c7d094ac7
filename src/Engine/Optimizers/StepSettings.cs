namespace ConvNet.Engine.Optimizers;

/// <summary>
/// The numbers of one update that depend on the whole model or on the step: computed once by the step coordinator and sent with
/// the commit, so that every partition applies the same bits.
/// </summary>
/// <param name="LearningRate">Of this step, from the schedule.</param>
/// <param name="ClipFactor">Every gradient is multiplied by it first; 1 when nothing is clipped.</param>
/// <param name="BiasCorrection1">Adam: 1 − β1^n for the n-th applied update, from 1; 1 for other optimizers.</param>
/// <param name="BiasCorrection2Root">Adam: √(1 − β2^n).</param>
/// <param name="TensorRates">LARS: the trust ratio of each tensor in the model's order; empty for other optimizers.</param>
public readonly record struct StepSettings(
    double LearningRate,
    double ClipFactor,
    double BiasCorrection1,
    double BiasCorrection2Root,
    double[] TensorRates)
{
    /// <summary>The factor of one tensor's update.</summary>
    public float TensorRate(int tensor) => TensorRates.Length == 0 ? 1f : (float)TensorRates[tensor];
}
