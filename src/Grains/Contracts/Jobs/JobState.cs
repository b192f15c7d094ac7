namespace ConvNet.Grains.Contracts.Jobs;

public enum JobState
{
    /// <summary>Waits for workers, or is being started.</summary>
    Queued,
    Running,
    Evaluating,
    Saving,

    /// <summary>By order: the job has saved, has freed its workers and servers, and waits until it is resumed.</summary>
    Paused,

    /// <summary>Its client is gone: the job has saved, has freed its workers and servers, and waits for another one, not for ever.</summary>
    Orphaned,
    Completed,
    Stopped,
    Failed,
    Cancelled,
}
