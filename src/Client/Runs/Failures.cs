using ConvNet.Client.Cluster;
using ConvNet.Engine.Errors;

namespace ConvNet.Client.Runs;

/// <summary>What an exception means to the caller of a command.</summary>
internal static class Failures
{
    public static (ExitCode Code, string Message) Explain(Exception failure)
    {
        return failure switch
        {
            AggregateException { InnerExceptions.Count: 1 } wrapped => Explain(wrapped.InnerExceptions[0]),
            ConvNetException known => (known.ExitCode, known.ExitCode == ExitCode.Bug ? FirstLine(failure) : known.Message),
            OperationCanceledException => (ExitCode.Cancelled, "cancelled."),
            TimeoutException => (ExitCode.Environment, $"the cluster did not answer in time: {FirstLine(failure)}"),
            _ when LostSilo.IsBehind(failure) => (ExitCode.Environment, $"the cluster is not available: {FirstLine(failure)}"),
            UnauthorizedAccessException => (ExitCode.BadInput, FirstLine(failure)),
            IOException io when IsDiskFull(io) => (ExitCode.Resources, FirstLine(failure)),
            IOException => (ExitCode.BadInput, FirstLine(failure)),
            OutOfMemoryException => (ExitCode.Resources, "not enough memory; use a smaller --batch or model."),
            _ => (ExitCode.Bug, $"internal error ({failure.GetType().Name}): {FirstLine(failure)} Details are in the run's log, if there is one."),
        };
    }

    /// <summary>ENOSPC, as .NET reports it on Linux (errno 28) and Windows (ERROR_DISK_FULL).</summary>
    private static bool IsDiskFull(IOException failure) => failure.HResult == 28 || (failure.HResult & 0xFFFF) == 112;

    private static string FirstLine(Exception failure)
    {
        string message = failure.Message;
        int end = message.IndexOfAny(['\r', '\n']);
        return end < 0 ? message : message[..end];
    }
}
