using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;

namespace ConvNet.Silo.Processes;

/// <summary>What an exception means to the caller of a command.</summary>
public static class Failures
{
    public static (ExitCode Code, string Message) Explain(Exception failure)
    {
        return failure switch
        {
            AggregateException { InnerExceptions.Count: 1 } wrapped => Explain(wrapped.InnerExceptions[0]),
            ConvNetException known => (known.ExitCode, known.ExitCode == ExitCode.Bug ? FirstLine(failure) : known.Message),
            OperationCanceledException => (ExitCode.Cancelled, "cancelled."),
            TimeoutException => (
                ExitCode.Environment, $"the cluster did not answer in time ({GrainFailure.Contact(failure)}); check that its silos run and can be reached."),
            _ when GrainFailure.IsLostContact(failure) => (ExitCode.Environment, $"the cluster is not available: {FirstLine(failure)}"),
            _ when FileFailure.Is(failure) => (FileFailure.CodeOf(failure), $"{FirstLine(failure).TrimEnd('.')}."),
            OutOfMemoryException => (ExitCode.Resources, "not enough memory; use a smaller --batch or model."),
            _ => (ExitCode.Bug, $"internal error ({failure.GetType().Name}): {FirstLine(failure)} Details are in the run's log, if there is one."),
        };
    }

    /// <summary>Writes what a failure means to the user: a sentence for what they can act on, never a stack trace.</summary>
    /// <returns>The exit code of the process.</returns>
    public static int Report(Exception failure, TextWriter error)
    {
        (ExitCode code, string message) = Explain(failure);
        error.WriteLine($"error: {message}");
        return (int)code;
    }

    private static string FirstLine(Exception failure)
    {
        string message = failure.Message;
        int end = message.IndexOfAny(['\r', '\n']);
        return end < 0 ? message : message[..end];
    }
}
