namespace ConvNet.Engine.Errors;

/// <summary>What an exception of the file system means to the caller of a command.</summary>
public static class FileFailure
{
    public static bool Is(Exception e) => e is IOException or UnauthorizedAccessException;

    public static ExitCode CodeOf(Exception e) => e is IOException io && IsDiskFull(io) ? ExitCode.Resources : ExitCode.BadInput;

    /// <summary>ENOSPC, as .NET reports it on Linux (errno 28) and Windows (ERROR_DISK_FULL).</summary>
    private static bool IsDiskFull(IOException failure) => failure.HResult == 28 || (failure.HResult & 0xFFFF) == 112;
}
