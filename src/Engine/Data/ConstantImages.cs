using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Data;

/// <summary>Finds images in which nothing is to be seen: every channel has one value.</summary>
internal static class ConstantImages
{
    /// <summary>No phrase if every image shows something, else one.</summary>
    /// <param name="part">"training" or "test".</param>
    public static IEnumerable<string> Describe(ImageSet set, string part)
    {
        int count = 0;
        int first = -1;
        for (int i = set.Count - 1; i >= 0; i--)
        {
            if (IsConstant(set.Image(i), set.Shape))
            {
                count++;
                first = i;
            }
        }

        if (count == 0 || set.Shape.Area == 1)
        {
            yield break;
        }

        if (count == set.Count)
        {
            yield return $"every one of the {count} {part} images is constant, one value a channel: nothing can be learned from them";
        }
        else
        {
            yield return $"{count} of the {set.Count} {part} images {(count == 1 ? "is" : "are")} constant, one value a channel; the first is image " +
                $"{first}, of class {PrintableText.Of(set.ClassNames[set.Labels[first]])}";
        }
    }

    private static bool IsConstant(ReadOnlySpan<byte> image, Shape shape)
    {
        for (int c = 0; c < shape.C; c++)
        {
            ReadOnlySpan<byte> plane = image.Slice(c * shape.Area, shape.Area);
            if (plane.ContainsAnyExcept(plane[0]))
            {
                return false;
            }
        }

        return true;
    }
}
