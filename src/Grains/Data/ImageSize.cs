using System.Globalization;
using System.Text.RegularExpressions;
using ConvNet.Engine.Geometry;

namespace ConvNet.Grains.Data;

/// <summary>Reads "HxW", to which images of a folder are resized.</summary>
public static partial class ImageSize
{
    /// <summary>Largest height and largest width, in pixels.</summary>
    public const int MaxSide = 4096;

    /// <summary>The size, or null if the text is none: <see cref="Problem"/> says why.</summary>
    public static Size? TryParse(string text)
    {
        Match match = Pattern().Match(text);
        return match.Success && Side(match.Groups[1].ValueSpan) is { } height && Side(match.Groups[2].ValueSpan) is { } width
            ? new Size(height, width)
            : null;
    }

    public static string Problem(string text) =>
        $"data.size is '{text}'. It must be HEIGHTxWIDTH in pixels, such as 32x32, each from 1 to {MaxSide}.";

    private static int? Side(ReadOnlySpan<char> digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int side) && side is >= 1 and <= MaxSide ? side : null;

    [GeneratedRegex(@"^([0-9]+)x([0-9]+)\z")]
    private static partial Regex Pattern();
}
