using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;

namespace ConvNet.Engine.Models;

/// <summary>The built-in models; equal to those of bench/peers/torch/nets.py, tensor names included.</summary>
public static class ModelPresets
{
    public static IReadOnlyList<string> Names { get; } = ["lenet", "fashion-cnn", "resnet20", "vgg11-bn"];

    /// <summary>The preset of that name, or null.</summary>
    public static ModelSpec? Find(string name) => name switch
    {
        "lenet" => LeNet(),
        "fashion-cnn" => FashionCnn(),
        "resnet20" => ResNet20(),
        "vgg11-bn" => Vgg11(),
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

    /// <summary>Source: He, Zhang, Ren, Sun, "Deep residual learning for image recognition" (2015), with 1x1 convolutions as shortcuts.</summary>
    private static ModelSpec ResNet20() => new("resnet20", new Shape(3, 32, 32),
    [
        .. Normalized(16),
        Block(16), Block(16), Block(16),
        NarrowingBlock(32), Block(32), Block(32),
        NarrowingBlock(64), Block(64), Block(64),
        new GlobalAvgPoolSpec(), new FlattenSpec(),
        new FullyConnectedSpec { Out = 10 },
    ]);

    /// <summary>
    /// Source: Simonyan, Zisserman, "Very deep convolutional networks" (2014), configuration A, with batch norm and one fully connected layer.
    /// </summary>
    private static ModelSpec Vgg11() => new("vgg11-bn", new Shape(3, 32, 32),
    [
        .. Normalized(64), Halve(), .. Normalized(128), Halve(),
        .. Normalized(256), .. Normalized(256), Halve(),
        .. Normalized(512), .. Normalized(512), Halve(),
        .. Normalized(512), .. Normalized(512), Halve(),
        new FlattenSpec(),
        new FullyConnectedSpec { Out = 10 },
    ]);

    private static ResidualSpec Block(int filters) =>
        new() { Main = [.. Normalized(filters), Convolution(filters, 3, 1), new BatchNormSpec()] };

    /// <summary>Halves the sides; a stride of 2 over even sides ignores the last row and column of the padding.</summary>
    private static ResidualSpec NarrowingBlock(int filters) => new()
    {
        Main =
        [
            Convolution(filters, 3, 1) with { Stride = 2, Rounding = Rounding.Floor }, new BatchNormSpec(), new ReLUSpec(),
            Convolution(filters, 3, 1), new BatchNormSpec(),
        ],
        Shortcut = [Convolution(filters, 1, 0) with { Stride = 2, Rounding = Rounding.Floor }, new BatchNormSpec()],
    };

    private static ConvolutionSpec Convolution(int filters, int kernel, int padding, bool bias = false) =>
        new() { Out = filters, Kernel = kernel, Padding = padding, Bias = bias };

    private static LayerSpec[] Normalized(int filters) => [Convolution(filters, 3, 1), new BatchNormSpec(), new ReLUSpec()];

    private static MaxPoolSpec Halve() => new() { Size = 2, Stride = 2 };
}
