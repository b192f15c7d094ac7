using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;

namespace ConvNet.Engine.Models;

/// <summary>A model as data: the volume of one sample and the layers in order. Read and written as JSON by <see cref="ModelFile"/>.</summary>
public sealed record ModelSpec(string Name, Shape Input, IReadOnlyList<LayerSpec> Layers);
