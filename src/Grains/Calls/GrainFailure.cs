using System.Text.RegularExpressions;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Placement;

namespace ConvNet.Grains.Calls;

/// <summary>What an exception of a call between grains means: the one place that knows the exceptions of Orleans.</summary>
public static partial class GrainFailure
{
    /// <summary>True if the other side may be gone, and nobody has said what is wrong.</summary>
    public static bool IsLostContact(Exception e) => e is TimeoutException or OrleansException or SiloGoneException || HasExpired(e);

    /// <summary>True if the same call may still succeed: it is not known whether it arrived.</summary>
    public static bool MayBeRepeated(Exception e) => e is TimeoutException || HasNotArrived(e);

    /// <summary>True if the call has not arrived: nothing of it is done, and it may be made again whatever it does.</summary>
    public static bool HasNotArrived(Exception e) => e is OrleansMessageRejectionException || HasExpired(e);

    /// <summary>The same as an error that says what to do and can travel.</summary>
    public static ConvNetException From(Exception e) => e switch
    {
        ConvNetException known => known,
        _ when IsLostContact(e) => new ConvNetException(
            ExitCode.Environment,
            $"{Contact(e)}; check that all silos of the job are alive and reachable.",
            e),
        _ when FileFailure.Is(e) => new ConvNetException(FileFailure.CodeOf(e), $"{FirstLine(e.Message)}.", e),
        _ => new ConvNetException(ExitCode.Bug, $"internal error ({e.GetType().Name}): {FirstLine(e.Message)}.", e),
    };

    /// <summary>Who could not be reached, in the user's words.</summary>
    public static string Contact(Exception e) => e switch
    {
        SiloGoneException or UnansweredCallException => FirstLine(e.Message),
        TimeoutException => "calls time out",
        _ when HasExpired(e) => "calls time out",
        OperationCanceledException => "the cluster's store does not answer a silo",
        _ when Endpoint().Match(e.Message) is { Success: true } found => $"{found.Value} cannot be reached",
        _ => "a silo cannot be reached",
    };

    /// <param name="who">Who met it, to stand in front of the message; or null.</param>
    public static JobFailure ToFailure(Exception e, string? who = null)
    {
        ConvNetException known = From(e);
        return new JobFailure(
            (int)known.ExitCode,
            who is null ? known.Message : $"{who}: {known.Message}",
            known.ExitCode == ExitCode.Bug ? e.ToString() : null,
            IsContradiction: e is ContradictionException);
    }

    /// <summary>True if a silo looked for the grain until the call's time was over. Orleans 10.4.2 has no exception of its own for that.</summary>
    private static bool HasExpired(Exception e) =>
        e is OperationCanceledException && e.Message.StartsWith("Message expired before placement", StringComparison.Ordinal);

    [GeneratedRegex(@"\d{1,3}(\.\d{1,3}){3}:\d{1,5}")]
    private static partial Regex Endpoint();

    /// <summary>Without its full stop: Orleans puts the stack trace of what it met into its message.</summary>
    internal static string FirstLine(string message) => message.Split('\n', 2)[0].TrimEnd().TrimEnd('.');
}
