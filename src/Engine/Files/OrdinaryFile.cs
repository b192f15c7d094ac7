using ConvNet.Engine.Errors;

namespace ConvNet.Engine.Files;

/// <summary>Opens files that hold data of others. Pipes, sockets and devices have length 0, so that none is ever opened and waited for.</summary>
public static class OrdinaryFile
{
    /// <summary>Length in bytes, of the file that a link leads to.</summary>
    /// <exception cref="ConvNetException">There is none, or it has no bytes (exit code 3).</exception>
    /// <exception cref="IOException">The file system says no.</exception>
    public static long Length(string path)
    {
        var file = new FileInfo(path);
        if (file.LinkTarget is not null && file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target)
        {
            file = target;
        }

        if (!file.Exists)
        {
            throw ConvNetException.BadInput($"{path}: is not there, or its name is not UTF-8. Rename or replace it.");
        }

        return file.Length > 0
            ? file.Length
            : throw ConvNetException.BadInput($"{path}: has only 0 bytes: it is empty, or a pipe, a socket or a device. Replace or remove it.");
    }

    /// <summary>Opens a file for reading from its start to its end.</summary>
    /// <exception cref="ConvNetException">There is none, or it has no bytes (exit code 3).</exception>
    /// <exception cref="IOException">The file system says no.</exception>
    public static FileStream Open(string path)
    {
        Length(path);
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
    }
}
