using System.Diagnostics;
using System.Text;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;

namespace ConvNet.Grains.Runs;

/// <summary>
/// Lines at the end of a file, for a disk that may be full for a time: what it does not take waits, up to a bound, and is written in its order as soon as
/// there is room. Not thread-safe.
/// </summary>
internal sealed class LineFile : IDisposable
{
    private const int MostWaiting = 16 << 20;
    private const int MostAtOnce = 1 << 16;
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly FileStream _file;
    private readonly Queue<byte[]> _waiting = [];
    private int _waitingBytes;
    private int _lost;
    private long? _failedAt;
    private string? _warning;

    /// <summary>Where the lines end that are written whole: what follows may be half a line, and is written again.</summary>
    private long _end;

    /// <summary>Goes on with a file, or makes one for its owner alone.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public LineFile(string path)
    {
        _path = path;
        bool isCut = EndsWithinALine(path);
        _file = PrivateFile.Open(path, FileMode.OpenOrCreate);
        _end = _file.Length;
        if (isCut)
        {
            // Whoever wrote it has died in the middle of it.
            Add("");
        }
    }

    /// <summary>No line waits.</summary>
    public bool IsWritten => _waiting.Count == 0;

    /// <summary>Adds a line, which <see cref="Flush"/> writes.</summary>
    public void Add(string line)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(line + Environment.NewLine);
        if (_waitingBytes + bytes.Length > MostWaiting)
        {
            _lost++;
            return;
        }

        _waiting.Enqueue(bytes);
        _waitingBytes += bytes.Length;
    }

    /// <summary>Writes what waits, unless the disk has just refused it.</summary>
    public void Flush()
    {
        if (_waiting.Count == 0 || (_failedAt is { } failed && Stopwatch.GetElapsedTime(failed) < RetryPause))
        {
            return;
        }

        try
        {
            Write();
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            _warning ??= _failedAt is not null ? null :
                $"{_path}: cannot be written: {e.Message.TrimEnd('.')}. Its lines wait in memory, up to {MostWaiting >> 20} MiB, until the disk takes " +
                "them again; free some space.";
            _failedAt = Stopwatch.GetTimestamp();
            return;
        }

        _failedAt = null;
        if (_lost > 0)
        {
            _warning = $"{_path}: {_lost} lines are lost, as the disk was full for too long.";
            _lost = 0;
        }
    }

    /// <summary>What people should know, as a sentence, once; or null.</summary>
    public string? TakeWarning()
    {
        string? warning = _warning;
        _warning = null;
        return warning;
    }

    /// <summary>Writes what waits for the last time.</summary>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public void Dispose()
    {
        try
        {
            Write();
        }
        catch (IOException e)
        {
            throw new IOException($"{_path}: its last {_waiting.Count} lines cannot be written: {e.Message.TrimEnd('.')}.", e.HResult);
        }
        finally
        {
            _waiting.Clear();
            _file.Dispose();
        }
    }

    private static bool EndsWithinALine(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using FileStream file = File.Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        if (file.Length == 0)
        {
            return false;
        }

        file.Seek(-1, SeekOrigin.End);
        return file.ReadByte() != '\n';
    }

    private void Write()
    {
        while (_waiting.Count > 0)
        {
            var some = new MemoryStream();
            int lines = 0;
            foreach (byte[] line in _waiting.TakeWhile(line => lines == 0 || some.Length + line.Length <= MostAtOnce))
            {
                some.Write(line);
                lines++;
            }

            RandomAccess.Write(_file.SafeFileHandle, some.GetBuffer().AsSpan(0, (int)some.Length), _end);
            _end += some.Length;
            _waitingBytes -= (int)some.Length;
            for (; lines > 0; lines--)
            {
                _waiting.Dequeue();
            }
        }
    }
}
