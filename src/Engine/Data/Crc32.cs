using System.Buffers.Binary;

namespace ConvNet.Engine.Data;

/// <summary>
/// CRC-32 of gzip (polynomial 0xEDB88320), 8 bytes at a time. Source: Kounavis, Berry, "A systematic approach to building high
/// performance software-based CRC generators" (2005).
/// </summary>
internal static class Crc32
{
    // Entry 256·k + b: the effect of byte b, k bytes further on.
    private static readonly uint[] Table = MakeTable();

    /// <summary>Goes on with a checksum; the first is 0xFFFFFFFF, and the result is the complement of the last.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<uint> table = Table;
        for (; data.Length >= 8; data = data[8..])
        {
            uint low = crc ^ BinaryPrimitives.ReadUInt32LittleEndian(data);
            uint high = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
            crc = table[(int)(1792 + (low & 255))] ^ table[(int)(1536 + ((low >> 8) & 255))]
                ^ table[(int)(1280 + ((low >> 16) & 255))] ^ table[(int)(1024 + (low >> 24))]
                ^ table[(int)(768 + (high & 255))] ^ table[(int)(512 + ((high >> 8) & 255))]
                ^ table[(int)(256 + ((high >> 16) & 255))] ^ table[(int)(high >> 24)];
        }

        foreach (byte value in data)
        {
            crc = (crc >> 8) ^ table[(int)((crc ^ value) & 255)];
        }

        return crc;
    }

    private static uint[] MakeTable()
    {
        uint[] table = new uint[8 * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value & 1) == 0 ? value >> 1 : (value >> 1) ^ 0xEDB88320;
            }

            table[i] = value;
        }

        for (int i = 256; i < table.Length; i++)
        {
            table[i] = (table[i - 256] >> 8) ^ table[(int)(table[i - 256] & 255)];
        }

        return table;
    }
}
