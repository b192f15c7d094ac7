using ConvNet.Engine.Errors;
using Microsoft.Extensions.Logging;

namespace ConvNet.Silo;

/// <summary>
/// Ends the process of a silo that cannot stay in its cluster, above all one that the others have declared dead because it did not answer for
/// some seconds. Its workers and servers have been replaced or given up by then: nothing of it may go on.
/// </summary>
internal sealed partial class FatalErrors(string silo, Action<string> tell, ILogger<FatalErrors> logger) : IFatalErrorHandler
{
    private int _told;

    public bool IsUnexpected(Exception exception) => true;

    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null)
    {
        if (Volatile.Read(ref _told) == 0)
        {
            LogFatal(logger, exception, silo, context);
            End(Sentence(exception, context));
        }
    }

    /// <summary>Ends the process with exit code 4. Only the first sentence is told.</summary>
    public void End(string sentence)
    {
        if (Interlocked.Exchange(ref _told, 1) == 0)
        {
            tell(sentence);
            Environment.Exit((int)ExitCode.Environment);
        }
    }

    private string Sentence(Exception? exception, string? context)
    {
        string details = (exception?.Message ?? context ?? "no details").Split('\n', 2)[0].TrimEnd();
        return details.Contains("told I am dead", StringComparison.Ordinal)
            ? $"silo '{silo}' ends: the cluster has declared it dead, because it did not answer for several seconds (was it suspended, overloaded or cut " +
              "off?); start it again, and it joins anew."
            : $"silo '{silo}' ends: it met an error that it cannot go on with ({details.TrimEnd('.')}); the log has more.";
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "Silo {Silo} ends: {Context}")]
    private static partial void LogFatal(ILogger logger, Exception? exception, string silo, string? context);
}
