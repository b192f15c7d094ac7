using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Grains.Data;

/// <summary>Decodes listed images into sets of one shape.</summary>
internal static class ImageReading
{
    /// <param name="parts">What becomes one set each; their first image decides the size if the options don't.</param>
    /// <param name="faults">What the listing found; all faults are thrown together.</param>
    /// <exception cref="ConvNetException">There are faults, or the pixels don't fit in memory (exit code 3).</exception>
    public static ImageSet[] Read(
        string root, List<ImageListing.Entry>[] parts, string[] classes, ImageOptions options, FaultList faults, ICollection<string> remarks)
    {
        // The headers decide size and channels before anything is decoded, so that the memory can be checked.
        ImageListing.Entry[] all = [.. parts.SelectMany(part => part)];
        ImageHeader?[] headers = new ImageHeader?[all.Length];
        string?[] problems = new string?[all.Length];
        ForEach(all, problems, options, i => headers[i] = ImageDecoder.ReadHeader(all[i].Path));
        int first = Array.FindIndex(headers, header => header is not null);
        Size size = options.Size ?? (first < 0 ? new Size(1, 1) : headers[first]!.Value.Size);
        for (int i = 0; i < all.Length; i++)
        {
            if (options.Size is null && headers[i] is { } header && header.Size != size)
            {
                problems[i] =
                    $"{ImageFile.Shown(all[i].Path)}: is {header.Size.H}x{header.Size.W} (height x width), but {ImageFile.Shown(all[first].Path)} is " +
                    $"{size.H}x{size.W}. All images must have one size; set data.size={size.H}x{size.W} (-s, or --size of data check) to resize them.";
            }
        }

        bool isColor = Array.Exists(headers, header => header is { Color: true });
        var shape = new Shape(options.Channels ?? (isColor ? 3 : 1), size.H, size.W);
        // With faults, decoding only looks for more of them.
        bool isSound = faults.IsEmpty && Array.TrueForAll(problems, problem => problem is null);
        ImageBlocks[] pixels = [.. parts.Select(part => ImageBlocks.Allocate(ImageFile.Shown(root), shape, isSound ? part.Count : 0))];
        ForEach(all, problems, options, i =>
        {
            int part = i < parts[0].Count ? 0 : 1;
            int at = part == 0 ? i : i - parts[0].Count;
            ImageDecoder.Decode(all[i].Path, shape, isSound ? pixels[part][at] : []);
        });
        foreach (string? problem in problems)
        {
            faults.Add(problem);
        }

        faults.ThrowIfAny();
        Describe(headers, remarks);
        return
        [
            .. parts.Select((part, i) => new ImageSet(
                shape, pixels[i], [.. part.Select(entry => Array.BinarySearch(classes, entry.ClassName, StringComparer.Ordinal))], classes)),
        ];
    }

    /// <summary>On several threads, for the images that have no problem yet; an exception becomes the image's problem.</summary>
    private static void ForEach(ImageListing.Entry[] all, string?[] problems, ImageOptions options, Action<int> action) => Parallel.For(
        0, all.Length, new ParallelOptions { MaxDegreeOfParallelism = options.Threads ?? Environment.ProcessorCount }, i =>
    {
        if (problems[i] is not null)
        {
            return;
        }

        try
        {
            action(i);
        }
        catch (ConvNetException e)
        {
            problems[i] = e.Message;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems[i] = $"{ImageFile.Shown(all[i].Path)}: cannot be read: {e.Message.TrimEnd('.')}.";
        }
    });

    private static void Describe(ImageHeader?[] headers, ICollection<string> remarks)
    {
        Add(ImageTraits.Transparency, "have transparency: it is left out, the stored colours count");
        Add(ImageTraits.SixteenBits, "have 16 bits a channel: reduced to 8");
        Add(ImageTraits.Cmyk, "are CMYK: converted to RGB without a colour profile");
        Add(ImageTraits.Turned, "are to be shown turned or mirrored (EXIF): taken as stored");
        Add(ImageTraits.Frames, "have several frames: the first one is taken");

        void Add(ImageTraits trait, string phrase)
        {
            int count = headers.Count(header => header is { } known && known.Traits.HasFlag(trait));
            if (count > 0)
            {
                remarks.Add($"{count} of {headers.Length} images {phrase}");
            }
        }
    }
}
