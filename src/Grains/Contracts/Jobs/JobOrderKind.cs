namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>What a job can be told. All but <see cref="Abandon"/> take effect at the next step boundary at which the job rests, within about 2 s.</summary>
public enum JobOrderKind
{
    /// <summary>Save and stop, without an evaluation.</summary>
    Stop,

    /// <summary>Stop when so many steps are completed, in place of what the plan said before.</summary>
    StopAfter,

    /// <summary>Save a checkpoint and go on.</summary>
    Save,

    /// <summary>Evaluate and go on.</summary>
    Evaluate,

    /// <summary>Save and end the job as cancelled.</summary>
    Cancel,

    /// <summary>Save, and free workers and servers until the job is resumed.</summary>
    Pause,

    /// <summary>Go on after a pause, in the queue under the old rank.</summary>
    Resume,

    /// <summary>End the job as failed at once, without a checkpoint: its client has met an error.</summary>
    Abandon,
}
