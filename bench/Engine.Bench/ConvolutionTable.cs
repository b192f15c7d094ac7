using System.Diagnostics;
using System.Globalization;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Kernels.Convolution;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Bench;

/// <summary>GFLOP/s of the three phases of a convolution for the shapes of the reference networks, with narrow and with wide vectors.</summary>
internal static class ConvolutionTable
{
    private const double SecondsPerPhase = 0.4;

    private static (string Net, ConvolutionGeometry Geometry)[] Shapes { get; } =
    [
        ("fashion-cnn", Same(1, 32, 28)),
        ("fashion-cnn", Same(32, 64, 28)),
        ("fashion-cnn", Same(64, 128, 14)),
        ("fashion-cnn", ConvolutionGeometry.FullyConnected(6272, 10)),
        ("resnet20", Same(3, 16, 32)),
        ("resnet20", Same(16, 16, 32)),
        ("resnet20", Halving(16, 32, 32, 3)),
        ("resnet20", Halving(16, 32, 32, 1)),
        ("resnet20", Same(32, 32, 16)),
        ("resnet20", Halving(32, 64, 16, 3)),
        ("resnet20", Same(64, 64, 8)),
        ("vgg11-bn", Same(3, 64, 32)),
        ("vgg11-bn", Same(64, 128, 16)),
        ("vgg11-bn", Same(128, 256, 8)),
        ("vgg11-bn", Same(256, 256, 8)),
        ("vgg11-bn", Same(256, 512, 4)),
        ("vgg11-bn", Same(512, 512, 4)),
        ("vgg11-bn", Same(512, 512, 2)),
    ];

    public static void Print(int threads, int batch)
    {
        using var team = new ThreadTeam(threads);
        Console.WriteLine($"Convolutions, {threads} thread(s), batch {batch}: GFLOP/s (2·K·C·R·S per output pixel; quickest of many)");
        Console.WriteLine("with vectors of 8 / of 16 lanes, called in turn; the layers take those of {0} bits.", VectorWidth.IsWide ? 512 : 256);
        Console.WriteLine(FormattableString.Invariant(
            $"Peak of one thread: {VectorPeak.Measure<Floats8>() / 1e9:F0} / {VectorPeak.Measure<Floats16>() / 1e9:F0} GFLOP/s\n"));
        Console.WriteLine("| net | input | output | kernel | load ms | forward | backward data | backward weights |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach ((string net, ConvolutionGeometry geometry) in Shapes)
        {
            Console.WriteLine(Row(net, geometry, batch, team));
        }
    }

    private static ConvolutionGeometry Same(int c, int k, int side) =>
        new(new Shape(c, side, side), new Shape(k, side, side), 3, 1, 1, 1, 1);

    private static ConvolutionGeometry Halving(int c, int k, int side, int kernel) =>
        new(new Shape(c, side, side), new Shape(k, side / 2, side / 2), kernel, 2, kernel / 2, 1, 1);

    private static string Row(string net, ConvolutionGeometry g, int batch, ThreadTeam team)
    {
        using Activation x = Filled(g.Input, batch), dy = Filled(g.Output, batch), y = new(g.Output, batch), dx = new(g.Input, batch);
        float[] weights = [.. Enumerable.Range(0, g.WeightCount).Select(i => i % 13 / 13f - 0.4f)];
        var plan = new ShardPlan(new ShardTree(batch, 4), 0, 4);
        float[][] roots = [.. plan.Roots.Select(_ => new float[g.WeightCount])];
        Func<int, float[]> rootOfWeights = root => roots[root];
        using ConvolutionKernel narrow = ConvolutionKernel.For<Floats8>(g), wide = ConvolutionKernel.For<Floats16>(g);
        double flop = 2.0 * g.WeightCount * g.Output.Area * batch;
        string[] cells =
        [
            net, $"{g.Input}", $"{g.Output}", $"{g.Kernel}{(g.Stride.H > 1 ? $"/{g.Stride}" : "")}",
            Both(seconds => seconds * 1e3, "F2", kernel => kernel.Load(weights, null, team)),
            Both(seconds => flop / seconds / 1e9, "F1", kernel => kernel.Forward(x, y, batch, team)),
            Both(seconds => flop / seconds / 1e9, "F1", kernel => kernel.BackwardData(dy, dx, batch, team)),
            Both(seconds => flop / seconds / 1e9, "F1", kernel => kernel.BackwardWeights(x, dy, plan, rootOfWeights, null, team)),
        ];
        return $"| {string.Join(" | ", cells)} |";

        string Both(Func<double, double> value, string format, Action<ConvolutionKernel> call) =>
            string.Join(" / ", Seconds(() => call(narrow), () => call(wide)).Select(s => value(s).ToString(format, CultureInfo.InvariantCulture)));
    }

    private static Activation Filled(Shape shape, int batch)
    {
        var activation = new Activation(shape, batch);
        for (int n = 0; n < batch; n++)
        {
            for (int i = 0; i < shape.Count; i++)
            {
                activation[n, i / shape.Area, i % shape.Area / shape.W, i % shape.W] = (n + i) % 17 / 17f - 0.4f;
            }
        }

        return activation;
    }

    /// <summary>The quickest call of each, in turn.</summary>
    private static double[] Seconds(params Action[] calls)
    {
        double[] best = [.. calls.Select(_ => double.MaxValue)];
        long begin = Stopwatch.GetTimestamp();
        do
        {
            for (int i = 0; i < calls.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                calls[i]();
                best[i] = Math.Min(best[i], Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < SecondsPerPhase);
        return best;
    }
}
