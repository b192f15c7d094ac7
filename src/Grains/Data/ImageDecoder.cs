using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using SkiaSharp;

namespace ConvNet.Grains.Data;

/// <summary>Decodes PNG and JPEG files; the first bytes decide, not the file's name.</summary>
internal static class ImageDecoder
{
    /// <summary>Larger images are refused before anything is decoded.</summary>
    public const long MaxPixels = 64L << 20;

    private const long MaxFileLength = 256L << 20;

    /// <exception cref="ConvNetException">Neither PNG nor JPEG, damaged, or too large (exit code 3).</exception>
    public static ImageHeader ReadHeader(string path)
    {
        using SKCodec codec = Open(path, out bool grey);
        return new ImageHeader(new Size(codec.Info.Height, codec.Info.Width), !grey);
    }

    /// <summary>Decodes an image into planes, resized bilinearly if it has another size than <paramref name="shape"/>.</summary>
    /// <param name="shape">1 channel (grey) or 3 (red, green, blue).</param>
    /// <param name="pixels">C·H·W bytes.</param>
    /// <exception cref="ConvNetException">The image is damaged (exit code 3).</exception>
    public static void Decode(string path, Shape shape, Span<byte> pixels)
    {
        using SKCodec codec = Open(path, out _);

        // No color space: the stored values count, as in other tools for data sets, not what a screen would show. Transparent turns black.
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Premul, null);
        using var bitmap = new SKBitmap(info);
        SKCodecResult result = codec.GetPixels(info, bitmap.GetPixels());
        if (result != SKCodecResult.Success)
        {
            throw ConvNetException.BadInput(
                $"{ImageFolder.Shown(path)}: the image cannot be decoded ({result}); the file is cut off or damaged. Replace or " +
                "remove it.");
        }

        if (bitmap.Height == shape.H && bitmap.Width == shape.W)
        {
            Split(bitmap, shape, pixels);
            return;
        }

        using SKBitmap resized = bitmap.Resize(
            info.WithSize(shape.W, shape.H), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear))
            ?? throw ConvNetException.BadInput(
                $"{ImageFolder.Shown(path)}: cannot be resized from {bitmap.Height}x{bitmap.Width} to {shape.H}x{shape.W}. Replace or " +
                "remove it.");
        Split(resized, shape, pixels);
    }

    private static SKCodec Open(string path, out bool grey)
    {
        string shown = ImageFolder.Shown(path);
        var file = new FileInfo(path);
        if (file.Length > MaxFileLength)
        {
            throw ConvNetException.BadInput($"{shown}: has {file.Length} bytes; at most {MaxFileLength} are read. Replace or remove it.");
        }

        byte[] bytes = File.ReadAllBytes(path);
        bool png = IsPng(bytes);
        bool jpeg = bytes.Length > 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
        if (!png && !jpeg)
        {
            string start = Convert.ToHexStringLower(bytes.AsSpan(0, Math.Min(8, bytes.Length)));
            throw ConvNetException.BadInput(
                $"{shown}: is neither PNG nor JPEG: it starts with {(start.Length == 0 ? "nothing" : start)} at byte 0. Convert or " +
                "remove it.");
        }

        using SKData data = SKData.CreateCopy(bytes);
        SKCodec codec = SKCodec.Create(data)
            ?? throw ConvNetException.BadInput(
                $"{shown}: the {(png ? "PNG" : "JPEG")} header cannot be read; the file is damaged. Replace or remove it.");
        if ((long)codec.Info.Width * codec.Info.Height > MaxPixels)
        {
            string size = $"{codec.Info.Height}x{codec.Info.Width}";
            codec.Dispose();
            throw ConvNetException.BadInput(
                $"{shown}: the header claims {size} (height x width) pixels; at most {MaxPixels} are decoded. Resize or remove it.");
        }

        grey = png ? IsGreyPng(bytes) : IsGreyJpeg(bytes);
        return codec;
    }

    private static bool IsPng(byte[] bytes) =>
        bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);

    // IHDR follows the signature; colour type 0 is grey, 4 grey with alpha.
    private static bool IsGreyPng(byte[] bytes) => bytes.Length > 25 && bytes[25] is 0 or 4;

    // The frame header (SOF0 … SOF15 without the tables among them) holds the number of components.
    private static bool IsGreyJpeg(byte[] bytes)
    {
        int at = 2;
        while (at + 9 < bytes.Length && bytes[at] == 0xFF)
        {
            byte marker = bytes[at + 1];
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                return bytes[at + 9] == 1;
            }

            at += marker == 0xFF ? 1 : 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
        }

        return false;
    }

    private static void Split(SKBitmap bitmap, Shape shape, Span<byte> pixels)
    {
        for (int y = 0; y < shape.H; y++)
        {
            ReadOnlySpan<byte> row = bitmap.GetPixelSpan().Slice(y * bitmap.RowBytes, 4 * shape.W);
            for (int x = 0; x < shape.W; x++)
            {
                for (int c = 0; c < shape.C; c++)
                {
                    pixels[(((c * shape.H) + y) * shape.W) + x] = row[(4 * x) + c];
                }
            }
        }
    }
}
