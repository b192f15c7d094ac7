namespace ConvNet.Client.Configuration;

public sealed record TrainSection
{
    /// <summary>Null if <see cref="Steps"/> says how long to train.</summary>
    public long? Epochs { get; set; } = 2;

    public long? Steps { get; set; }

    /// <summary>Samples of one optimizer step, over all workers.</summary>
    public long Batch { get; set; } = 64;

    /// <summary>Leave out the smaller batch at the end of each epoch.</summary>
    public bool DropLast { get; set; }

    public long DataShards { get; set; } = 4;

    public long Seed { get; set; } = 1;

    /// <summary>Largest global gradient norm, or null for no clipping.</summary>
    public double? ClipNorm { get; set; }

    /// <summary>skip or stop: what becomes of a step whose values are not finite.</summary>
    public string NonFinite { get; set; } = "skip";

    /// <summary>sync or shard.</summary>
    public string BatchNorm { get; set; } = "sync";

    /// <summary>exponential or cumulative.</summary>
    public string RunningAverage { get; set; } = "exponential";

    /// <summary>he or xavier.</summary>
    public string Initialization { get; set; } = "he";
}
