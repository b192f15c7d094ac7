namespace ConvNet.Engine.Optimizers;

/// <summary>Clipping by the global norm, as torch.nn.utils.clip_grad_norm_.</summary>
public static class GradientClipping
{
    /// <summary>min(1, maximum/(norm + 1e-6)); 1 without a maximum.</summary>
    public static double Factor(double norm, double? maximum) => maximum is { } limit ? Math.Min(1, limit / (norm + 1e-6)) : 1;
}
