using System.Buffers.Binary;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;

namespace ConvNet.Engine.Data;

/// <summary>
/// An IDX file of unsigned bytes, plain or gzip: 00 00 08 D, then D sizes as big-endian uint32, then the data, last index
/// fastest.
/// </summary>
public sealed record IdxFile(string Path, int[] Sizes, byte[] Data)
{
    // Deflate cannot expand a byte into more than this, so a header that implies more is a lie.
    private const long MaxDeflateRatio = 1032;

    private const long FirstBuffer = 4 << 20;

    /// <summary>Reads the file whole. Nothing is allocated, and nothing inflated, beyond what the checked header implies.</summary>
    /// <param name="path">The file; gzip is recognized by its first two bytes.</param>
    /// <param name="dimensions">How many sizes the header must have: 3 for images, 1 for labels.</param>
    /// <exception cref="ConvNetException">The file is missing, foreign, truncated or too long (exit code 3).</exception>
    public static IdxFile Read(string path, int dimensions)
    {
        try
        {
            using FileStream file = OrdinaryFile.Open(path);
            Span<byte> start = stackalloc byte[2];
            bool gzip = file.ReadAtLeast(start, 2, throwOnEndOfStream: false) == 2 && start[0] == 0x1F && start[1] == 0x8B;
            file.Position = 0;
            if (!gzip)
            {
                return Read(path, file, dimensions, null);
            }

            using var inflated = new GzipFile(path, file);
            return Read(path, file, dimensions, inflated);
        }
        catch (InvalidDataException e)
        {
            throw ConvNetException.BadInput(
                $"{path}: the gzip stream is damaged or cut off. Fetch or unpack the file again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ConvNetException.BadInput($"{path}: cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static IdxFile Read(string path, FileStream file, int dimensions, GzipFile? inflated)
    {
        Span<byte> header = stackalloc byte[4 + (4 * dimensions)];
        int read = inflated?.Read(header) ?? file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        CheckMagic(path, header[..read], dimensions);
        if (read < header.Length)
        {
            throw ConvNetException.BadInput(
                $"{path}: ends at byte {read}, within the header of {header.Length} bytes. Fetch the file again.");
        }

        uint[] sizes = new uint[dimensions];
        UInt128 length = 1;
        for (int i = 0; i < dimensions; i++)
        {
            uint size = BinaryPrimitives.ReadUInt32BigEndian(header[(4 + (4 * i))..]);
            if (size == 0)
            {
                throw ConvNetException.BadInput($"{path}: the header's size {i} (byte {4 + (4 * i)}) is 0. Every size must be at least 1.");
            }

            length *= size;
            sizes[i] = size;
        }

        string claim = string.Join(" x ", sizes);
        if (length > (UInt128)Array.MaxLength)
        {
            throw ConvNetException.BadInput(
                $"{path}: the header claims {claim} bytes of data. At most {Array.MaxLength} fit in memory; the header is damaged or " +
                "the set must be split.");
        }

        byte[] data;
        if (inflated is null)
        {
            CheckAvailable(path, claim, (long)length, file.Length - header.Length);
            data = new byte[(int)length];
            file.ReadExactly(data);
        }
        else
        {
            CheckInflated(path, claim, (long)length, header.Length, file.Length, inflated);
            data = Inflate(path, claim, (int)length, file.Length, inflated);
            inflated.CheckEnd();
        }

        return new IdxFile(path, [.. sizes.Select(size => (int)size)], data);
    }

    private static void CheckMagic(string path, ReadOnlySpan<byte> header, int dimensions)
    {
        if (header.Length < 4)
        {
            throw ConvNetException.BadInput(
                $"{path}: has only {header.Length} bytes. An IDX file starts with 4 bytes of magic number; fetch the file again.");
        }

        string bytes = Convert.ToHexStringLower(header[..4]);
        string expected = $"0000080{dimensions}";
        if (header[0] != 0 || header[1] != 0)
        {
            string hint = header[2] == 0 && header[3] == 0
                ? " The bytes are in reverse order: the file was written little-endian."
                : " The file is something else.";
            throw ConvNetException.BadInput(
                $"{path}: starts with {bytes} at byte 0, not with {expected} (IDX, unsigned bytes, {dimensions} sizes).{hint}");
        }

        if (header[2] != 0x08)
        {
            throw ConvNetException.BadInput(
                $"{path}: the type code at byte 2 is 0x{header[2]:x2}. Only 0x08, unsigned bytes, is an image or label file.");
        }

        if (header[3] != dimensions)
        {
            throw ConvNetException.BadInput(
                $"{path}: the header at byte 3 announces {header[3]} sizes instead of {dimensions} " +
                $"({(dimensions == 3 ? "images, rows, columns" : "labels")}). Are the files swapped?");
        }
    }

    private static void CheckAvailable(string path, string claim, long length, long available)
    {
        if (available < length)
        {
            throw Truncated(path, claim, length, available);
        }

        if (available > length)
        {
            throw ConvNetException.BadInput(
                $"{path}: {available - length} bytes follow the data that the header's {claim} implies. Nothing may follow; check " +
                "that the file is what it should be.");
        }
    }

    private static void CheckInflated(string path, string claim, long length, int headerLength, long fileLength, GzipFile inflated)
    {
        if ((uint)(length + headerLength) == inflated.LengthModulo && length <= fileLength * MaxDeflateRatio)
        {
            return;
        }

        throw ConvNetException.BadInput(
            $"{path}: the header claims {claim} = {length} bytes of data, but the gzip file of {fileLength} bytes says at its end that it holds " +
            $"{Math.Max(0, (long)inflated.LengthModulo - headerLength)}. It is damaged or cut off; fetch it again.");
    }

    // A file can lie at both ends. Memory grows with what is really there.
    private static byte[] Inflate(string path, string claim, int length, long fileLength, GzipFile inflated)
    {
        byte[] data = new byte[Math.Min(length, Math.Max(FirstBuffer, fileLength))];
        int got = 0;
        while (true)
        {
            got += inflated.Read(data.AsSpan(got));
            if (got < data.Length)
            {
                throw Truncated(path, claim, length, got);
            }

            if (got == length)
            {
                return data;
            }

            Array.Resize(ref data, (int)Math.Min(length, 2L * data.Length));
        }
    }

    private static ConvNetException Truncated(string path, string claim, long length, long got) =>
        ConvNetException.BadInput(
            $"{path}: the header claims {claim} = {length} bytes of data, but only {got} follow: {length - got} are missing. The file " +
            "is cut off; fetch it again.");
}
