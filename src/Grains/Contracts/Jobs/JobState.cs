namespace ConvNet.Grains.Contracts.Jobs;

public enum JobState
{
    Created,

    /// <summary>Waits for the next order of its client, at a step boundary.</summary>
    Idle,
    Running,
    Evaluating,
    Checkpointing,
    Completed,
    Stopped,
    Failed,
    Cancelled,
}
