using SkiaSharp;

namespace ConvNet.Grains.Tests.Data;

/// <summary>Small pictures, drawn and encoded.</summary>
internal static class DrawnImages
{
    /// <summary>A PNG whose pixels count up from <paramref name="first"/>.</summary>
    public static byte[] Grey(int width, int height, byte first) =>
        Encode(Bitmap(width, height, [.. Enumerable.Range(0, width * height).Select(i => (byte)(first + i))]), SKEncodedImageFormat.Png);

    public static SKBitmap Bitmap(int width, int height, byte[] pixels)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Gray8, SKAlphaType.Opaque));
        for (int y = 0; y < height; y++)
        {
            pixels.AsSpan(y * width, width).CopyTo(bitmap.GetPixelSpan()[(y * bitmap.RowBytes)..]);
        }

        return bitmap;
    }

    public static SKBitmap Color(int width, int height)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (int i = 0; i < width * height; i++)
        {
            bitmap.SetPixel(i % width, i / width, new SKColor((byte)i, 100, 200));
        }

        return bitmap;
    }

    public static SKBitmap Noise(int width, int height)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var random = new Random(1);
        for (int i = 0; i < width * height; i++)
        {
            bitmap.SetPixel(i % width, i / width, new SKColor((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256)));
        }

        return bitmap;
    }

    public static byte[] Encode(SKBitmap bitmap, SKEncodedImageFormat format)
    {
        using SKData data = bitmap.Encode(format, 95);
        bitmap.Dispose();
        return data.ToArray();
    }

    // Over chunk type and data; the last four bytes of the span receive it.
    public static void WriteCrc(Span<byte> chunk)
    {
        uint crc = System.IO.Hashing.Crc32.HashToUInt32(chunk[..^4]);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(chunk[^4..], crc);
    }
}
