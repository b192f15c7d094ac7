using ConvNet.Engine;
using ConvNet.Grains.Placement;

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
        TimeoutException or OrleansException or SiloGoneException => new JobException(
            ExitCode.Environment, $"{e.Message} Check that all silos of the job are alive and reachable, then resume from the last checkpoint."),
        _ => new JobException(ExitCode.Bug, e.ToString()),
    };

    public JobFailure ToFailure() => new((int)ExitCode, Message);

    /// <summary>The same failure with who met it in front.</summary>
    public JobFailure ToFailure(string who) => new((int)ExitCode, $"{who}: {Message}");
}

/// <summary>
/// Turns every <see cref="ConvNetException"/> that leaves a grain into a <see cref="JobException"/>, the only one of the two that can
/// travel between silos.
/// </summary>
internal sealed class ExceptionFilter : IIncomingGrainCallFilter
{
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        try
        {
            await context.Invoke();
        }
        catch (ConvNetException e)
        {
            throw JobException.From(e);
        }
    }
}
