namespace ConvNet.Engine.Errors;

/// <summary>What a failed command means to the caller: the exit codes that scripts rely on.</summary>
public enum ExitCode
{
    Ok = 0,
    Bug = 1,
    Usage = 2,
    BadInput = 3,
    Environment = 4,
    TrainingFailed = 5,
    Conflict = 6,
    Resources = 7,
    NotAuthorised = 8,
    Cancelled = 9,
    HungUp = 129,
    Interrupted = 130,
    Terminated = 143,
}
