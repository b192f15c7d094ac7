using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using SkiaSharp;

namespace ConvNet.Grains.Data;

/// <summary>
/// Decodes PNG, JPEG, WebP, BMP and GIF files, of the last three the first frame; the first bytes decide, not the file's name. The stored
/// values count, as in other tools for data sets, not what a screen would show: no colour profile, no turning by EXIF, and the colours
/// behind transparency.
/// </summary>
internal static class ImageDecoder
{
    /// <summary>Larger images are refused before anything is decoded.</summary>
    public const long MaxPixels = 64L << 20;

    private const int MaxSide = ushort.MaxValue;

    /// <summary>Of images with more pixels one is decoded at a time, so that the memory of many cores stays small.</summary>
    private const long LargePixels = 16L << 20;

    private static readonly Lock Large = new();

    /// <exception cref="ConvNetException">No image, damaged, or too large (exit code 3).</exception>
    public static ImageHeader ReadHeader(string path)
    {
        var file = ImageFile.Read(path);
        if (file.Format == "PNG" && PngChunks.FirstDamaged(file.Bytes) is { } at)
        {
            throw ConvNetException.BadInput(
                $"{ImageFile.Shown(path)}: the PNG chunk at byte {at} is cut off or does not have its CRC-32; the file is damaged. Replace or remove it.");
        }

        bool isKeyed = file.ClearGifTransparency();
        using SKCodec codec = Open(file);
        ImageTraits traits = ImageTraits.None
            | (isKeyed || codec.Info.AlphaType != SKAlphaType.Opaque ? ImageTraits.Transparency : 0)
            | (file.HasSixteenBits ? ImageTraits.SixteenBits : 0)
            | (file.IsCmyk ? ImageTraits.Cmyk : 0)
            | (codec.EncodedOrigin is not (SKEncodedOrigin.TopLeft or SKEncodedOrigin.Default) ? ImageTraits.Turned : 0)
            | (codec.FrameCount > 1 ? ImageTraits.Frames : 0);
        return new ImageHeader(new Size(codec.Info.Height, codec.Info.Width), !file.IsGrey, traits);
    }

    /// <summary>Decodes an image into planes, resized if it has another size than <paramref name="shape"/>.</summary>
    /// <param name="shape">1 channel (grey; of a colour image by the weights of ITU-R 601) or 3 (red, green, blue).</param>
    /// <param name="pixels">C·H·W bytes; empty to see only whether the image is sound.</param>
    /// <exception cref="ConvNetException">The image is damaged (exit code 3).</exception>
    public static void Decode(string path, Shape shape, Span<byte> pixels)
    {
        var file = ImageFile.Read(path);
        file.ClearGifTransparency();
        using SKCodec codec = Open(file);
        if ((long)codec.Info.Width * codec.Info.Height <= LargePixels)
        {
            Decode(path, codec, shape, pixels);
            return;
        }

        lock (Large)
        {
            Decode(path, codec, shape, pixels);
        }
    }

    private static void Decode(string path, SKCodec codec, Shape shape, Span<byte> pixels)
    {
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul, null);
        using var bitmap = new SKBitmap(info);
        SKCodecResult result = codec.GetPixels(info, bitmap.GetPixels());
        if (result != SKCodecResult.Success)
        {
            throw ConvNetException.BadInput(
                $"{ImageFile.Shown(path)}: the image cannot be decoded ({result}); the file is cut off or damaged. Replace or " +
                "remove it.");
        }

        if (pixels.IsEmpty)
        {
            return;
        }

        byte[] plane = new byte[info.Height * info.Width];
        for (int c = 0; c < shape.C; c++)
        {
            Split(bitmap.GetPixelSpan(), bitmap.RowBytes, shape.C == 1 ? null : c, plane, info.Width);
            TriangleResize.Plane(plane, info.Height, info.Width, pixels.Slice(c * shape.Area, shape.Area), shape.H, shape.W);
        }
    }

    private static SKCodec Open(ImageFile file)
    {
        string shown = ImageFile.Shown(file.Path);
        if (file.Format is null)
        {
            string start = Convert.ToHexStringLower(file.Bytes.AsSpan(0, Math.Min(8, file.Bytes.Length)));
            throw ConvNetException.BadInput(
                $"{shown}: is no PNG, JPEG, WebP, BMP or GIF: it starts with {start} at byte 0. Convert or remove it.");
        }

        using SKData data = SKData.CreateCopy(file.Bytes);
        SKCodec codec = SKCodec.Create(data)
            ?? throw ConvNetException.BadInput($"{shown}: the {file.Format} header cannot be read; the file is damaged. Replace or remove it.");
        SKImageInfo info = codec.Info;
        if (info.Width > MaxSide || info.Height > MaxSide || (long)info.Width * info.Height > MaxPixels)
        {
            codec.Dispose();
            throw ConvNetException.BadInput(
                $"{shown}: the header claims {info.Height}x{info.Width} (height x width) pixels; at most {MaxPixels} are decoded, and at most {MaxSide} " +
                "a side. Resize or remove it.");
        }

        if ((long)info.Width * info.Height > file.MaxPixels)
        {
            codec.Dispose();
            throw ConvNetException.BadInput(
                $"{shown}: the header claims {info.Height}x{info.Width} (height x width) pixels, more than {file.Bytes.Length} bytes can hold; the file is " +
                "cut off or damaged. Replace or remove it.");
        }

        return codec;
    }

    /// <param name="c">Which of red, green and blue; null: grey.</param>
    private static void Split(ReadOnlySpan<byte> pixels, int rowBytes, int? c, Span<byte> plane, int width)
    {
        for (int at = 0, row = 0; at < plane.Length; at += width, row += rowBytes)
        {
            for (int x = 0; x < width; x++)
            {
                int pixel = row + (4 * x);
                plane[at + x] = c is { } channel ? pixels[pixel + channel] : GreyImages.Grey(pixels[pixel], pixels[pixel + 1], pixels[pixel + 2]);
            }
        }
    }
}
