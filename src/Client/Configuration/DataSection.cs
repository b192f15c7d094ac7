namespace ConvNet.Client.Configuration;

public sealed record DataSection
{
    /// <summary>A built-in name, or the path of a folder.</summary>
    public string Path { get; set; } = "fashion-mnist-mini";

    /// <summary>HxW to which an image folder's images are resized, or null if they all have one size.</summary>
    public string? Size { get; set; }

    /// <summary>1 (grey) or 3 (colour), to which all images are converted, or null to take them as they are.</summary>
    public long? Channels { get; set; }

    /// <summary>The share of an image folder's training images that is kept for testing, or null if it has test images.</summary>
    public double? TestShare { get; set; }
}
