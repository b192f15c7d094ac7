namespace ConvNet.Grains.Data;

/// <summary>What an image has and a data set does not: each is left out or converted by a rule, and said.</summary>
[Flags]
internal enum ImageTraits
{
    None = 0,
    Transparency = 1,
    SixteenBits = 2,
    Cmyk = 4,
    Turned = 8,
    Frames = 16,
}
