using System.Buffers.Binary;
using System.IO.Compression;
using ConvNet.Engine.Errors;

namespace ConvNet.Engine.Data;

/// <summary>
/// The data of a gzip file (RFC 1952) of one member. .NET's own stream takes a missing trailer as a normal end, and so never compares the
/// checksum of a file that was cut; here length and CRC-32 are compared, and nothing may follow.
/// </summary>
internal sealed class GzipFile : IDisposable
{
    private const int TrailerLength = 8;
    private const int HeaderLength = 10;
    private readonly string _path;
    private readonly GZipStream _inflated;
    private readonly uint _crc;
    private uint _running = uint.MaxValue;
    private long _length;

    /// <param name="file">At any position; stays the caller's.</param>
    /// <exception cref="ConvNetException">The file is too short for a header and a trailer (exit code 3).</exception>
    public GzipFile(string path, FileStream file)
    {
        _path = path;
        if (file.Length < HeaderLength + TrailerLength)
        {
            throw ConvNetException.BadInput($"{path}: {file.Length} bytes are too few for a gzip file. It is cut off; fetch it again.");
        }

        Span<byte> trailer = stackalloc byte[TrailerLength];
        file.Position = file.Length - TrailerLength;
        file.ReadExactly(trailer);
        file.Position = 0;
        _crc = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        LengthModulo = BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]);
        _inflated = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true);
    }

    /// <summary>Bytes of data modulo 2³², as the trailer says.</summary>
    public uint LengthModulo { get; }

    /// <summary>Reads until <paramref name="data"/> is full or the data ends.</summary>
    /// <returns>Bytes read.</returns>
    /// <exception cref="InvalidDataException">The content is damaged.</exception>
    public int Read(Span<byte> data)
    {
        int read = _inflated.ReadAtLeast(data, data.Length, throwOnEndOfStream: false);
        _running = Crc32.Append(_running, data[..read]);
        _length += read;
        return read;
    }

    /// <summary>To be called when all data has been read.</summary>
    /// <exception cref="ConvNetException">Something is missing, changed, or follows (exit code 3).</exception>
    public void CheckEnd()
    {
        if (_inflated.ReadByte() >= 0)
        {
            throw ConvNetException.BadInput(
                $"{_path}: has more data after the {_length} bytes that its header implies. Nothing may follow; check that the file is " +
                "what it should be.");
        }

        if (~_running != _crc || (uint)_length != LengthModulo)
        {
            throw ConvNetException.BadInput(
                $"{_path}: the gzip file's last 8 bytes are not length and CRC-32 of its data (0x{_crc:x8} and {LengthModulo}, but the data has " +
                $"0x{~_running:x8} and {_length}): it is cut off, changed, or something follows. Fetch it again.");
        }
    }

    public void Dispose() => _inflated.Dispose();
}
