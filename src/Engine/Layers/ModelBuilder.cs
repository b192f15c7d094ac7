using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>Numbers layers and batch norms while a model is built. Layers are counted depth first, as they are listed.</summary>
internal sealed class ModelBuilder(BatchNormMode batchNormMode)
{
    private int _layers;
    private int _norms;

    public BatchNormMode BatchNormMode { get; } = batchNormMode;

    /// <summary>The index of the layer under construction; call once per layer, before its children are built.</summary>
    public int NextLayer() => _layers++;

    /// <summary>The index of the batch norm under construction.</summary>
    public int NextBatchNorm() => _norms++;

    /// <summary>Builds a list of layers, each fed by the one before.</summary>
    /// <param name="prefix">"" at the top, "3.main." inside a residual block.</param>
    public LayerSequence Build(IReadOnlyList<LayerSpec> specs, string prefix, Shape input)
    {
        var layers = new List<Layer>(specs.Count);
        Shape shape = input;
        for (int i = 0; i < specs.Count; i++)
        {
            Layer layer = specs[i].Build(this, prefix + i, shape);
            layers.Add(layer);
            shape = layer.Output;
        }

        return new LayerSequence(layers, input, shape);
    }
}
