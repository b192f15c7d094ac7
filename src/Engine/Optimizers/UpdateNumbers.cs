namespace ConvNet.Engine.Optimizers;

/// <summary>
/// The numbers of an update, rounded to float as it uses them: the same on every device. Which of them an optimizer uses, and for what, its own
/// documentation says.
/// </summary>
/// <param name="Clip">Every gradient is multiplied by it first.</param>
/// <param name="Decay">The share of the weight that joins its gradient.</param>
/// <param name="Rate">The factor of what is added to the weight; negative.</param>
/// <param name="Momentum">μ.</param>
/// <param name="Shrink">Adam: the factor of the weight before the update is added.</param>
/// <param name="NewShare1">Adam: 1 − β1.</param>
/// <param name="NewShare2">Adam: 1 − β2.</param>
/// <param name="Beta2">Adam: β2.</param>
/// <param name="Epsilon">Adam: ε.</param>
/// <param name="RootCorrection">Adam: √(1 − β2^n).</param>
public readonly record struct UpdateNumbers(
    float Clip,
    float Decay,
    float Rate,
    float Momentum = 0,
    float Shrink = 1,
    float NewShare1 = 0,
    float NewShare2 = 0,
    float Beta2 = 0,
    float Epsilon = 0,
    float RootCorrection = 1);
