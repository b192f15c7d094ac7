using ConvNet.Engine.Geometry;

namespace ConvNet.Grains.Data;

/// <summary>What a file's first bytes say about an image.</summary>
internal readonly record struct ImageHeader(Size Size, bool Color);
