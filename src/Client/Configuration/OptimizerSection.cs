namespace ConvNet.Client.Configuration;

public sealed record OptimizerSection
{
    /// <summary>sgd, adam, adamw or lars.</summary>
    public string Type { get; set; } = "sgd";

    /// <summary>Base learning rate; the schedule scales it.</summary>
    public double LearningRate { get; set; } = 0.01;

    public double Momentum { get; set; } = 0.9;

    public bool Nesterov { get; set; } = true;

    public double WeightDecay { get; set; } = 5e-4;

    public double Beta1 { get; set; } = 0.9;

    public double Beta2 { get; set; } = 0.999;

    public double Epsilon { get; set; } = 1e-8;

    /// <summary>LARS: the layer's rate is this times ‖w‖ ÷ (‖g‖ + decay·‖w‖).</summary>
    public double TrustCoefficient { get; set; } = 0.001;
}
