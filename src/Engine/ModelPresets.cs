using ConvNet.Engine.Layers;

namespace ConvNet.Engine;

/// <summary>The built-in models; equal to those of bench/peers/torch/nets.py, tensor names included.</summary>
public static class ModelPresets
{
    public static IReadOnlyList<string> Names { get; } = ["lenet", "fashion-cnn"];

    /// <summary>The preset of that name, or null.</summary>
    public static ModelSpec? Find(string name) => name switch
    {
        "lenet" => LeNet(),
        "fashion-cnn" => FashionCnn(),
        _ => null,
    };

    /// <summary>Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition" (1998), with ReLU and max pooling.</summary>
    private static ModelSpec LeNet() => new("lenet", new Shape(1, 28, 28),
    [
        Convolution(6, 5, 2, bias: true), new ReLUSpec(), Halve(),
        Convolution(16, 5, 0, bias: true), new ReLUSpec(), Halve(),
        new FlattenSpec(),
        new FullyConnectedSpec { Out = 120 }, new ReLUSpec(),
        new FullyConnectedSpec { Out = 84 }, new ReLUSpec(),
        new FullyConnectedSpec { Out = 10 },
    ]);

    private static ModelSpec FashionCnn() => new("fashion-cnn", new Shape(1, 28, 28),
    [
        .. Normalized(32), .. Normalized(64), Halve(), .. Normalized(128), Halve(),
        new FlattenSpec(),
        new FullyConnectedSpec { Out = 10 },
    ]);

    private static ConvolutionSpec Convolution(int filters, int kernel, int padding, bool bias = false) =>
        new() { Out = filters, Kernel = kernel, Padding = padding, Bias = bias };

    private static LayerSpec[] Normalized(int filters) => [Convolution(filters, 3, 1), new BatchNormSpec(), new ReLUSpec()];

    private static MaxPoolSpec Halve() => new() { Size = 2, Stride = 2 };
}
