using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;

namespace ConvNet.Grains.Data;

/// <summary>
/// A data set as folders of images: train/CLASS/* and test/CLASS/* (or val, valid, validation). Classes are the subfolders of train, files
/// are taken by name, both in ordinal order of the NFC; what is hidden or no image is ignored, and said.
/// </summary>
internal static class ImageFolder
{
    /// <param name="root">Holds train/ and test/.</param>
    /// <param name="remarks">Receives what is ignored, and by which rules images were converted.</param>
    /// <param name="mostFaults">How many faults an exception shows.</param>
    /// <exception cref="ConvNetException">
    /// No classes, an empty class, foreign or damaged files, different sizes: all at once (exit code 3).
    /// </exception>
    public static (ImageSet Train, ImageSet Test) ReadBoth(string root, ImageOptions options, ICollection<string> remarks, int mostFaults)
    {
        string trainFolder = TrainFolder(root, options);
        string? testFolder = TestFolder(root, remarks);
        if (testFolder is null == options.TestShare is null)
        {
            throw ConvNetException.BadInput(testFolder is null
                ? $"{root}: no data set found: {Found(root)}. A folder of test images is missing (test, val, valid or validation, with train's classes); add " +
                    "it, or keep a share of the training images for testing with data.testShare=0.2."
                : $"{root}: {Path.GetFileName(testFolder)}/ is there, so that no share of the training images is kept for testing. Leave data.testShare out.");
        }

        var faults = new FaultList(mostFaults);
        var listing = new ImageListing(root, faults);
        SortedDictionary<string, DirectoryInfo> classes = listing.Classes(trainFolder);
        if (classes.Count < 2)
        {
            faults.Add($"{ImageFile.Shown(trainFolder)}: has {classes.Count} class folders. At least two are needed: train/CLASS/IMAGE.");
        }

        List<ImageListing.Entry> train = [], test = [];
        foreach ((string name, DirectoryInfo folder) in classes)
        {
            List<ImageListing.Entry> images = listing.Images(name, folder);
            List<ImageListing.Entry> kept = [.. images.Where(image => !IsForTesting(image.Name, options.TestShare))];
            train.AddRange(kept);
            test.AddRange(images.Except(kept));
            faults.Add(kept.Count > 0
                ? null
                : $"{ImageFile.Shown(folder.FullName)}: has no images{(images.Count > 0 ? " left for training" : "")}. Every class needs at least one; " +
                    "remove the folder if the class is not wanted.");
        }

        if (testFolder is not null)
        {
            test.AddRange(ListTest(listing, testFolder, name => classes.ContainsKey(name), faults));
        }

        if (test.Count == 0)
        {
            faults.Add($"{ImageFile.Shown(testFolder ?? root)}: has no images for testing. At least one is needed: test/CLASS/IMAGE.");
        }

        listing.DescribeIgnored(remarks);
        string[] names = [.. classes.Keys];
        ImageSet[] sets = ImageReading.Read(root, [train, test], names, options, faults, remarks);
        return (sets[0], sets[1]);
    }

    /// <summary>The test images alone, with the classes that they have; also of a folder of classes without parts.</summary>
    /// <inheritdoc cref="ReadBoth"/>
    public static ImageSet ReadTest(string root, ImageOptions options, ICollection<string> remarks, int mostFaults)
    {
        bool hasTrain = FolderParts.Find(root, FolderParts.Train).Length > 0;
        string? testFolder = TestFolder(root, remarks) ?? (hasTrain ? null : root);
        if (testFolder is null)
        {
            return ReadBoth(root, options, remarks, mostFaults).Test;
        }

        var faults = new FaultList(mostFaults);
        var listing = new ImageListing(root, faults);
        List<ImageListing.Entry> test = ListTest(listing, testFolder, _ => true, faults);
        if (test.Count == 0)
        {
            faults.Add($"{ImageFile.Shown(testFolder)}: has no images for testing. At least one is needed: test/CLASS/IMAGE.");
        }

        listing.DescribeIgnored(remarks);
        string[] names = [.. test.Select(entry => entry.ClassName).Distinct()];
        return ImageReading.Read(root, [test], names, options, faults, remarks)[0];
    }

    private static string TrainFolder(string root, ImageOptions options)
    {
        if (FolderParts.Find(root, FolderParts.Train) is [{ } first, ..] folders)
        {
            return folders.Length == 1 ? first.FullName : throw ConvNetException.BadInput($"{root}: has {Found(root)}. Keep one folder of training images.");
        }

        return options.TestShare is not null && FolderParts.Find(root, FolderParts.Test).Length == 0
            ? root
            : throw ConvNetException.BadInput(
                $"{root}: no data set found: {Found(root)}. Expected are train/CLASS/* and test/CLASS/* (or val, valid, validation), or, with " +
                "data.testShare=0.2, one folder for each class.");
    }

    // A test folder without labels, as competitions publish it, is none.
    private static string? TestFolder(string root, ICollection<string> remarks)
    {
        DirectoryInfo[] folders = FolderParts.Find(root, FolderParts.Test);
        DirectoryInfo? chosen = folders.FirstOrDefault(info => FolderParts.In(info.FullName).Length > 0) ?? folders.FirstOrDefault();
        if (chosen is not null && (folders.Length > 1 || !chosen.Name.Equals("test", StringComparison.Ordinal)))
        {
            IEnumerable<string> others = folders.Where(info => info != chosen).Select(info => $"{info.Name}/ is not used");
            remarks.Add(string.Join(", ", [$"{chosen.Name}/ holds the test images", .. others]));
        }

        return chosen?.FullName;
    }

    private static List<ImageListing.Entry> ListTest(ImageListing listing, string folder, Func<string, bool> isKnown, FaultList faults)
    {
        var entries = new List<ImageListing.Entry>();
        foreach ((string name, DirectoryInfo info) in listing.Classes(folder))
        {
            if (isKnown(name))
            {
                entries.AddRange(listing.Images(name, info));
            }
            else
            {
                faults.Add($"{ImageFile.Shown(folder)}: the class {ImageFile.Shown(name)} is not in train/. Every class needs training images.");
            }
        }

        return entries;
    }

    private static string Found(string root)
    {
        string[] names = [.. FolderParts.In(root).Select(info => ImageFile.Shown(info.Name) + "/")];
        return names.Length switch
        {
            0 => "none of these is there",
            1 => $"only {names[0]} is there",
            _ => $"{string.Join(", ", names.Take(5))}{(names.Length > 5 ? ", …" : "")} are there",
        };
    }

    // By its own name alone, so that an image never changes sides when others come or go.
    private static bool IsForTesting(string name, double? share)
    {
        const double TwoTo64 = 18446744073709551616.0;
        return share is { } part && BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name))) < part * TwoTo64;
    }
}
