using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;

namespace ConvNet.Silo.Clustering;

/// <summary>The password of Redis, from a file that holds nothing else.</summary>
internal static class RedisPassword
{
    private const int MaxBytes = 4096;

    /// <returns>The file's only line.</returns>
    /// <exception cref="ConvNetException">There is no such file, or no password in it (exit code 3).</exception>
    public static string Read(string path)
    {
        string source = $"--redis-password-file '{path}'";
        string text = TextFile.Read(path, source, MaxBytes).TrimEnd('\r', '\n');
        return text.Length > 0 && !text.Any(char.IsControl)
            ? text
            : throw ConvNetException.BadInput($"{source} must hold the password of Redis in one line, and nothing else.");
    }
}
