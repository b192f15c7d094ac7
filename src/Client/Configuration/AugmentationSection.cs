namespace ConvNet.Client.Configuration;

public sealed record AugmentationSection
{
    /// <summary>Pixels of zero padding before a random crop of the original size; 0 = off.</summary>
    public long PadCrop { get; set; }

    /// <summary>Mirror half of the training images.</summary>
    public bool Flip { get; set; }
}
