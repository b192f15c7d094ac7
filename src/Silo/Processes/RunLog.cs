using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace ConvNet.Silo.Processes;

/// <summary>The structured log of a run, one JSON object a line; nothing of it reaches the console.</summary>
public static class RunLog
{
    /// <summary>A log that is full goes on in another file; the oldest go.</summary>
    private const long MaxBytesOfFile = 64L << 20;
    private const int MaxFiles = 4;

    public static Logger Open(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        PrivateFile.Open(path, FileMode.Append, FileShare.ReadWrite).Dispose();
        return new LoggerConfiguration()
            .MinimumLevel.Information()
            .MinimumLevel.Override("Orleans", LogEventLevel.Warning)

            // It tells each refused peer with a stack trace and without the address; the silo's gates tell who was refused, and why.
            .MinimumLevel.Override("Orleans.Connections.Security", LogEventLevel.Fatal)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("Polly", LogEventLevel.Warning)
            .WriteTo.File(
                new CompactJsonFormatter(), path, fileSizeLimitBytes: MaxBytesOfFile, rollOnFileSizeLimit: true, retainedFileCountLimit: MaxFiles)
            .CreateLogger();
    }

    /// <summary>Writes what is left. A log that a full disk does not take is no failure of what it tells of.</summary>
    public static void Close(Logger log)
    {
        try
        {
            log.Dispose();
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            // There is no place to say so.
        }
    }
}
