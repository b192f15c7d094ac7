using ConvNet.Engine;

namespace ConvNet.Grains.Contracts;

/// <summary>A <see cref="ConvNetException"/> that crosses grains: the same message and exit code.</summary>
[GenerateSerializer, Alias("ConvNet.JobException")]
public sealed class JobException(ExitCode exitCode, string message) : Exception(message)
{
    [Id(0)] public ExitCode ExitCode { get; } = exitCode;

    public static JobException From(Exception e) => e switch
    {
        JobException known => known,
        ConvNetException known => new JobException(known.ExitCode, known.Message),
        _ => new JobException(ExitCode.Bug, e.ToString()),
    };

    public JobFailure ToFailure() => new((int)ExitCode, Message);
}
