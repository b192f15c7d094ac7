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

    public LayoutSection Layout { get; init; } = new();
}

public sealed record DataSection
{
    /// <summary>A built-in name, or the path of a folder.</summary>
    public string Path { get; set; } = "fashion-mnist-mini";

    /// <summary>HxW to which an image folder's images are resized, or null if they all have one size.</summary>
    public string? Size { get; set; }
}

public sealed record TrainSection
{
    /// <summary>Null if <see cref="Steps"/> says how long to train.</summary>
    public long? Epochs { get; set; } = 2;

    public long? Steps { get; set; }

    /// <summary>Samples of one optimizer step, over all workers.</summary>
    public long Batch { get; set; } = 64;

    public long DataShards { get; set; } = 4;

    public long Seed { get; set; } = 1;

    /// <summary>Largest global gradient norm, or null for no clipping.</summary>
    public double? ClipNorm { get; set; }

    /// <summary>sync or shard.</summary>
    public string BatchNorm { get; set; } = "sync";

    /// <summary>exponential or cumulative.</summary>
    public string RunningAverage { get; set; } = "exponential";

    /// <summary>he or xavier.</summary>
    public string Initialization { get; set; } = "he";
}

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

public sealed record ScheduleSection
{
    /// <summary>constant, step or cosine.</summary>
    public string Type { get; set; } = "cosine";

    /// <summary>Steps of linear warm-up before the schedule.</summary>
    public long WarmupSteps { get; set; }

    /// <summary>step: epochs between two reductions; 0 = count steps instead.</summary>
    public long EveryEpochs { get; set; } = 1;

    /// <summary>step: steps between two reductions; needs <see cref="EveryEpochs"/> = 0.</summary>
    public long EverySteps { get; set; }

    /// <summary>step: the factor of each reduction.</summary>
    public double Factor { get; set; } = 0.1;

    /// <summary>cosine: the rate at the end.</summary>
    public double MinimumRate { get; set; }
}

public sealed record AugmentationSection
{
    /// <summary>Pixels of zero padding before a random crop of the original size; 0 = off.</summary>
    public long PadCrop { get; set; }

    /// <summary>Mirror half of the training images.</summary>
    public bool Flip { get; set; }
}

/// <summary>How the job is spread over a cluster. Never changes the result.</summary>
public sealed record LayoutSection
{
    public const long DefaultWorkers = 2;

    /// <summary>Null = <see cref="DefaultWorkers"/>, or 1 if there is only one data shard.</summary>
    public long? Workers { get; set; }

    /// <summary>Silos of the local cluster.</summary>
    public long Silos { get; set; } = 1;

    /// <summary>Compute threads per worker; null = max(1, cores ÷ workers).</summary>
    public long? Threads { get; set; }

    /// <summary>Parameter-server partitions.</summary>
    public long Partitions { get; set; } = 2;
}
