using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Tests.Threads;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>
/// The first step of a preset with the <c>Reference</c> kernels, layer by layer, each on its own. Residual blocks are taken
/// apart: their sum and ReLU are computed here.
/// </summary>
internal sealed class NetRecording
{
    private readonly ParameterSource _parameters;
    private readonly int _batch;

    public NetRecording(string net)
    {
        GoldenCase golden = GoldenFile.Read(net).Cases[0];
        ModelSpec spec = ModelPresets.Find(net)!;
        _batch = golden.Batch;
        _parameters = (name, count) => golden.StateOf(name).Values(golden.Seed, count);
        float[] x = GoldenFile.Input(golden, _batch * spec.Input.Count, NetState.InputScale);
        Run(spec.Layers, "", spec.Input, x, logits => LossGradient(golden, logits));
    }

    /// <summary>In backward order.</summary>
    public List<RecordedLayer> Layers { get; } = [];

    /// <summary>The mean over the batch.</summary>
    public double Loss { get; private set; }

    /// <summary>Runs the layers from <paramref name="at"/> on, then <paramref name="behind"/>, and back; returns the input gradient.</summary>
    private float[] Run(IReadOnlyList<LayerSpec> specs, string prefix, Shape shape, float[] x, Func<float[], float[]> behind, int at = 0)
    {
        if (at == specs.Count)
        {
            return behind(x);
        }

        string name = prefix + at;
        LayerSpec spec = specs[at];
        Shape output = spec.OutputShape(shape, name);
        if (spec is ResidualSpec block)
        {
            return RunBlock(block, name, shape, x, y => Run(specs, prefix, output, y, behind, at + 1));
        }

        LayerRun layer = Single(spec, name, shape, KernelSet.Reference);
        float[] dy = [];
        LayerResult result = layer.Train(_batch, x, y => dy = Run(specs, prefix, output, y, behind, at + 1), _parameters);
        Layers.Add(new RecordedLayer(name, spec, shape, x, dy, result, at + 1 < specs.Count ? specs[at + 1] : null));
        return result.Dx;
    }

    /// <summary>relu(main(x) + shortcut(x)).</summary>
    private float[] RunBlock(ResidualSpec block, string name, Shape shape, float[] x, Func<float[], float[]> behind)
    {
        float[] dShortcut = [];
        float[] dMain = Run(block.Main, $"{name}.main.", shape, x, main =>
        {
            float[] dSum = [];
            float[] Join(float[] shortcut)
            {
                float[] sum = [.. main.Zip(shortcut, (a, b) => a + b)];
                float[] dy = behind([.. sum.Select(value => Math.Max(value, 0))]);
                return dSum = [.. dy.Zip(sum, (gradient, value) => value > 0 ? gradient : 0)];
            }

            dShortcut = Run(block.Shortcut ?? [], $"{name}.shortcut.", shape, x, Join);
            return dSum;
        });
        return [.. dMain.Zip(dShortcut, (a, b) => a + b)];
    }

    private float[] LossGradient(GoldenCase golden, float[] logits)
    {
        int classes = logits.Length / _batch;
        var plan = new ShardPlan(new ShardTree(_batch, NetState.DataShards), 0, NetState.DataShards);
        var loss = new SoftmaxCrossEntropy(classes);
        using Activation activation = Nchw.From(new Shape(classes, 1, 1), logits);
        Loss = loss.Forward(activation, Formula.Labels(golden.Seed, _batch, classes), plan)[0].LossSum / _batch;
        return Nchw.Read(loss.Backward(), _batch);
    }

    /// <summary>A layer by itself, named as in the network.</summary>
    public static LayerRun Single(LayerSpec spec, string name, Shape shape, KernelSet kernels) =>
        new(shape, builder => Sequence(spec.Build(builder, name, shape)), kernels, NetState.DataShards);

    private static LayerSequence Sequence(Layer layer) => new([layer], layer.Input, layer.Output);
}
