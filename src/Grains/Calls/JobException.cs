using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Placement;

namespace ConvNet.Grains.Calls;

/// <summary>A <see cref="ConvNetException"/> that crosses grains: the same message and exit code.</summary>
[GenerateSerializer, Alias("ConvNet.JobException")]
public sealed class JobException(ExitCode exitCode, string message) : Exception(message)
{
    [Id(0)] public ExitCode ExitCode { get; } = exitCode;

    public static JobException From(Exception e) => e switch
    {
        JobException known => known,
        ConvNetException known => new JobException(known.ExitCode, known.Message),
        TimeoutException or OrleansException or SiloGoneException => new JobException(
            ExitCode.Environment, $"{e.Message} Check that all silos of the job are alive and reachable, then resume from the last checkpoint."),
        _ => new JobException(ExitCode.Bug, e.ToString()),
    };

    public JobFailure ToFailure() => new((int)ExitCode, Message);

    /// <summary>The same failure with who met it in front.</summary>
    public JobFailure ToFailure(string who) => new((int)ExitCode, $"{who}: {Message}");
}
