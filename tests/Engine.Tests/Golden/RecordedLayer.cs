using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>One layer of a network, its input and output gradient, and what it made of them.</summary>
/// <param name="Next">The layer behind it in the same branch, or null.</param>
internal sealed record RecordedLayer(
    string Name, LayerSpec Spec, Shape Input, float[] X, float[] Dy, LayerResult Result, LayerSpec? Next);
