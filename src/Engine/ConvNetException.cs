namespace ConvNet.Engine;

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
    Interrupted = 130,
    Terminated = 143,
}

/// <summary>An error that the user can act on: the message says what, with which numbers, which rule, and what to do.</summary>
public class ConvNetException(ExitCode exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    public ExitCode ExitCode { get; } = exitCode;

    /// <summary>Input that parses but cannot be used (exit code 3).</summary>
    public static ConvNetException BadInput(string message, Exception? inner = null) => new(ExitCode.BadInput, message, inner);
}
