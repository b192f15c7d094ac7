using System.Globalization;
using System.Text.RegularExpressions;
using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Grains.Data;

/// <summary>Loads any data set: what the engine reads by itself, and folders of PNG and JPEG images.</summary>
public static partial class DatasetSource
{
    /// <param name="nameOrPath">A built-in name or a folder; see <see cref="DatasetLoader"/>.</param>
    /// <param name="size">"HxW": image folders are resized to it; null: their images must all have one size.</param>
    /// <exception cref="ConvNetException">
    /// Unknown name, missing or damaged files, or a size for other than image folders (exit code 3).
    /// </exception>
    public static Dataset Load(string nameOrPath, string? size = null)
    {
        Size? resize = size is null ? null : ParseSize(size);
        bool used = false;
        Dataset data = DatasetLoader.Load(nameOrPath, folder =>
        {
            used = true;
            return ImageFolder.Read(folder, resize);
        });
        if (resize is not null && !used)
        {
            throw ConvNetException.BadInput(
                $"{nameOrPath}: data.size is {size}, but only image folders are resized; these images are {data.Shape}. Leave " +
                "data.size out.");
        }

        return data;
    }

    private static Size ParseSize(string text)
    {
        Match match = SizePattern().Match(text);
        if (match.Success
            && int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int h)
            && int.TryParse(match.Groups[2].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int w)
            && h is >= 1 and <= ImageFolder.MaxSide && w is >= 1 and <= ImageFolder.MaxSide)
        {
            return new Size(h, w);
        }

        throw ConvNetException.BadInput(
            $"data.size is '{text}'. It must be HEIGHTxWIDTH in pixels, such as 32x32, each from 1 to {ImageFolder.MaxSide}.");
    }

    [GeneratedRegex("^([0-9]+)x([0-9]+)$")]
    private static partial Regex SizePattern();
}
