namespace ConvNet.Client.Configuration;

/// <summary>When a run saves besides the end of each epoch, and which checkpoints it keeps. Never changes the result.</summary>
public sealed record CheckpointSection
{
    /// <summary>Also save whenever the number of completed steps is a multiple of this; 0 = off.</summary>
    public long EverySteps { get; set; }

    /// <summary>Also save when the last checkpoint is so many minutes old; 0 = off.</summary>
    public double EveryMinutes { get; set; }

    /// <summary>The newest so many verified checkpoints stay, and the best one besides.</summary>
    public long Keep { get; set; } = 2;

    /// <summary>Also keep the checkpoint of every k-th epoch; 0 = off.</summary>
    public long KeepEvery { get; set; }
}
