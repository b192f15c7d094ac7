namespace ConvNet.Engine.Errors;

/// <summary>An error that the user can act on: the message says what, with which numbers, which rule, and what to do.</summary>
public class ConvNetException(ExitCode exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    public ExitCode ExitCode { get; } = exitCode;

    /// <summary>Input that parses but cannot be used (exit code 3).</summary>
    public static ConvNetException BadInput(string message, Exception? inner = null) => new(ExitCode.BadInput, message, inner);
}
