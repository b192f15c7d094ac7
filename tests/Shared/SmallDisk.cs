using System.Diagnostics;

namespace ConvNet.Tests;

/// <summary>A file system of its own, in memory and with little room, over a folder of a test. On Linux, for the superuser alone.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _ballast;

    /// <param name="folder">Made if it is missing.</param>
    public SmallDisk(string folder, int kibibytes)
    {
        Path = Directory.CreateDirectory(folder).FullName;
        _ballast = System.IO.Path.Combine(Path, "ballast");
        Demand(Run("mount", "-t", "tmpfs", "-o", $"size={kibibytes}k,mode=0700", "none", Path));
    }

    /// <summary>False where a test with such a disk has to be left out.</summary>
    public static bool CanMount { get; } = OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess
        && Run("unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt") == 0;

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Takes all room that there is but so much; again, what others have given back since.</summary>
    public void Fill(int butBytes = 0)
    {
        using var file = new FileStream(_ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 1);
        byte[] page = new byte[4096];
        try
        {
            while (true)
            {
                file.Write(page);
            }
        }
        catch (IOException)
        {
            file.SetLength(Math.Max(0, file.Length - butBytes));
        }
    }

    /// <summary>Gives the room back.</summary>
    public void Free() => File.Delete(_ballast);

    /// <summary>Files of a folder there, which are open for nobody to write, are read-only from now on, or as they were before.</summary>
    public void SetReadOnly(string folder, bool isReadOnly)
    {
        if (isReadOnly)
        {
            Demand(Run("mount", "--bind", folder, folder));
            Demand(Run("mount", "-o", "remount,ro,bind", folder));
        }
        else
        {
            Demand(Run("umount", folder));
        }
    }

    public void Dispose() => Run("umount", "--lazy", "--recursive", Path);

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }

    private static void Demand(int exitCode)
    {
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"mount or umount has ended with exit code {exitCode}.");
        }
    }
}
