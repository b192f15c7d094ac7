using ConvNet.Engine.Geometry;

namespace ConvNet.Grains.Data;

/// <summary>How a folder of images is read.</summary>
/// <param name="Size">To which images are resized; null: all must have the size of the first one.</param>
/// <param name="Channels">1 (grey) or 3; null: 1 if every image is grey, else 3.</param>
/// <param name="TestShare">The share of the training images that is kept for testing, if there are no test images.</param>
/// <param name="Threads">That decode; null: one a core. Never changes the result.</param>
public sealed record ImageOptions(Size? Size = null, int? Channels = null, double? TestShare = null, int? Threads = null);
