using System.Buffers.Binary;
using System.IO.Hashing;

namespace ConvNet.Grains.Data;

/// <summary>
/// The chunks of a PNG file (length, type, data, CRC-32; ISO/IEC 15948). The decoder takes damaged ones as they are, so their checksums
/// are compared here, as other tools do.
/// </summary>
internal static class PngChunks
{
    private const int SignatureLength = 8, LengthAndType = 8, CrcLength = 4;

    /// <summary>The byte at which the first chunk starts that an image needs and that is cut off or has another checksum; null: all are sound.</summary>
    public static int? FirstDamaged(ReadOnlySpan<byte> file)
    {
        int at = SignatureLength;
        while (at + LengthAndType + CrcLength <= file.Length)
        {
            long length = BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
            bool isNeeded = file[at + 4] is >= (byte)'A' and <= (byte)'Z';
            if (length > file.Length - at - LengthAndType - CrcLength)
            {
                return isNeeded ? at : null;
            }

            ReadOnlySpan<byte> typeAndData = file.Slice(at + 4, 4 + (int)length);
            uint crc = BinaryPrimitives.ReadUInt32BigEndian(file[(at + LengthAndType + (int)length)..]);
            if (isNeeded && Crc32.HashToUInt32(typeAndData) != crc)
            {
                return at;
            }

            if (typeAndData[..4].SequenceEqual("IEND"u8))
            {
                break;
            }

            at += LengthAndType + (int)length + CrcLength;
        }

        return null;
    }
}
