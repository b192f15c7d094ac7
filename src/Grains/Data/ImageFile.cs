using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;

namespace ConvNet.Grains.Data;

/// <summary>A file with an image: its bytes, and the format that the first of them tell.</summary>
internal sealed class ImageFile
{
    private const long MaxLength = 256L << 20;

    private ImageFile(string path, byte[] bytes, string? format) => (Path, Bytes, Format) = (path, bytes, format);

    public string Path { get; }

    public byte[] Bytes { get; }

    /// <summary>PNG, JPEG, WebP, BMP or GIF; null: something else.</summary>
    public string? Format { get; }

    /// <exception cref="ConvNetException">Empty, too large, or no file but a pipe, a socket or a device (exit code 3).</exception>
    public static ImageFile Read(string path)
    {
        long length = OrdinaryFile.Length(path);
        if (length > MaxLength)
        {
            throw ConvNetException.BadInput($"{Shown(path)}: has {length} bytes; at most {MaxLength} are read. Replace or remove it.");
        }

        byte[] bytes = File.ReadAllBytes(path);
        return new ImageFile(path, bytes, FormatOf(bytes));
    }

    /// <summary>Whether the format stores a single grey channel here.</summary>
    public bool IsGrey => Format switch
    {
        // IHDR follows the signature; colour type 0 is grey, 4 grey with alpha.
        "PNG" => Bytes.Length > 25 && Bytes[25] is 0 or 4,
        "JPEG" => JpegComponents() == 1,
        _ => false,
    };

    public bool IsCmyk => Format == "JPEG" && JpegComponents() == 4;

    public bool HasSixteenBits => Format == "PNG" && Bytes.Length > 24 && Bytes[24] == 16;

    /// <summary>
    /// The most pixels that so many bytes can hold: Deflate cannot expand a byte into more than 1,032, and a JPEG has at least one bit for
    /// each block of 8×8. The other formats have no such bound.
    /// </summary>
    public long MaxPixels => Format switch
    {
        "PNG" when Bytes.Length > 25 => Bytes.Length * 8L * 1032 / Math.Max(1, Bytes[24] * Bytes[25] switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 }),
        "JPEG" => Bytes.Length * 8L * 64,
        _ => long.MaxValue,
    };

    /// <summary>
    /// Clears the flags by which a GIF declares one of its colours transparent, so that the decoder keeps that colour.
    /// </summary>
    /// <returns>Whether there was one.</returns>
    public bool ClearGifTransparency()
    {
        if (Format != "GIF" || Bytes.Length < 13)
        {
            return false;
        }

        bool found = false;
        int at = 13 + ColorTableLength(Bytes[10]);
        while (at + 2 < Bytes.Length && Bytes[at] is 0x21 or 0x2C)
        {
            if (Bytes[at] == 0x21)
            {
                if (Bytes[at + 1] == 0xF9 && at + 3 < Bytes.Length)
                {
                    found |= (Bytes[at + 3] & 1) != 0;
                    Bytes[at + 3] &= 0xFE;
                }

                at = EndOfBlocks(at + 2);
            }
            else
            {
                at = at + 9 < Bytes.Length ? EndOfBlocks(at + 11 + ColorTableLength(Bytes[at + 9])) : Bytes.Length;
            }
        }

        return found;
    }

    /// <summary>A file name with its control and direction characters made visible, fit for a terminal.</summary>
    public static string Shown(string name) => PrintableText.Of(name);

    private static string? FormatOf(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => "PNG",
        [0xFF, 0xD8, 0xFF, ..] => "JPEG",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', (byte)'7' or (byte)'9', (byte)'a', ..] => "GIF",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => "WebP",
        [(byte)'B', (byte)'M', _, _, _, _, 0, 0, 0, 0, ..] => "BMP",
        _ => null,
    };

    private static int ColorTableLength(byte flags) => (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);

    // Blocks of a length and as many bytes, up to the one of length 0.
    private int EndOfBlocks(int at)
    {
        while (at < Bytes.Length && Bytes[at] != 0)
        {
            at += 1 + Bytes[at];
        }

        return at + 1;
    }

    // The frame header (SOF0 … SOF15 without the tables among them) holds the number of components.
    private int JpegComponents()
    {
        int at = 2;
        while (at + 9 < Bytes.Length && Bytes[at] == 0xFF)
        {
            byte marker = Bytes[at + 1];
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                return Bytes[at + 9];
            }

            at += marker == 0xFF ? 1 : 2 + ((Bytes[at + 2] << 8) | Bytes[at + 3]);
        }

        return 0;
    }
}
