namespace ConvNet.Client.Configuration;

/// <summary>
/// Everything that a training run can be told, with its defaults. Each property has a dotted key in <see cref="ConfigurationKeys"/>,
/// which is its name on the command line (<c>-s</c>), in a configuration file and in <c>config.resolved.yaml</c>.
/// </summary>
public sealed record TrainConfiguration
{
    /// <summary>A preset, or the path of a model file.</summary>
    public string Model { get; set; } = "fashion-cnn";

    public DataSection Data { get; init; } = new();

    public TrainSection Train { get; init; } = new();

    public OptimizerSection Optimizer { get; init; } = new();

    public ScheduleSection Schedule { get; init; } = new();

    public AugmentationSection Augmentation { get; init; } = new();

    public CheckpointSection Checkpoint { get; init; } = new();

    public LayoutSection Layout { get; init; } = new();
}
