using ConvNet.Engine.Geometry;

namespace ConvNet.Grains.Data;

/// <summary>What a file's first bytes say about an image.</summary>
/// <param name="Color">False only if the file stores a single grey channel.</param>
internal readonly record struct ImageHeader(Size Size, bool Color, ImageTraits Traits);
