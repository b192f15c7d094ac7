using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Tests.Threads;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Tests.Kernels.Convolution;

/// <summary>One convolution on formula values, run through all three phases of the kernel that its geometry chooses.</summary>
internal sealed class ConvolutionCase : IDisposable
{
    /// <param name="kernel">Null for the one that the layers take.</param>
    public ConvolutionCase(ConvolutionGeometry geometry, int samples, bool withBias = true, ConvolutionKernel? kernel = null)
    {
        Geometry = geometry;
        Samples = samples;
        X = Nchw.From(geometry.Input, ConvolutionOracle.Filled(samples * geometry.Input.Count, 1));
        DY = Nchw.From(geometry.Output, ConvolutionOracle.Filled(samples * geometry.Output.Count, 2));
        Y = Poisoned(geometry.Output, samples);
        DX = Poisoned(geometry.Input, samples);
        Weights = ConvolutionOracle.Filled(geometry.WeightCount, 3);
        Bias = withBias ? ConvolutionOracle.Filled(geometry.Output.C, 4) : [];
        Convolution = kernel ?? ConvolutionKernel.For(geometry, KernelSet.Fast);
    }

    public ConvolutionGeometry Geometry { get; }

    public int Samples { get; }

    public Activation X { get; }

    public Activation DY { get; }

    public Activation Y { get; }

    public Activation DX { get; }

    public float[] Weights { get; }

    public float[] Bias { get; }

    public float[][] DWeight { get; private set; } = [];

    public float[][] DBias { get; private set; } = [];

    public ConvolutionKernel Convolution { get; }

    public void Run(ThreadTeam team, ShardPlan? plan = null)
    {
        plan ??= new ShardPlan(new ShardTree(Samples, 4), 0, 4);
        Convolution.Load(Weights, Bias.Length == 0 ? null : Bias, team);
        Convolution.Forward(X, Y, Samples, team);
        Convolution.BackwardData(DY, DX, Samples, team);
        DWeight = [.. plan.Roots.Select(_ => Enumerable.Repeat(float.NaN, Geometry.WeightCount).ToArray())];
        DBias = [.. plan.Roots.Select(_ => Enumerable.Repeat(float.NaN, Geometry.Output.C).ToArray())];
        Convolution.BackwardWeights(X, DY, plan, root => DWeight[root], root => DBias[root], team);
    }

    public static ConvolutionGeometry Square(int c, int k, int side, int kernel, int stride = 1, int padding = 0, int dilation = 1, int groups = 1) =>
        Geometry2(c, k, new Size(side, side), kernel, stride, padding, dilation, groups);

    public static ConvolutionGeometry Geometry2(int c, int k, Size image, Size kernel, Size stride, Size padding, Size dilation, int groups = 1)
    {
        int h = (image.H + 2 * padding.H - dilation.H * (kernel.H - 1) - 1) / stride.H + 1;
        int w = (image.W + 2 * padding.W - dilation.W * (kernel.W - 1) - 1) / stride.W + 1;
        return new ConvolutionGeometry(new Shape(c, image.H, image.W), new Shape(k, h, w), kernel, stride, padding, dilation, groups);
    }

    public void Dispose()
    {
        X.Dispose();
        Y.Dispose();
        DX.Dispose();
        DY.Dispose();
    }

    /// <summary>NaN everywhere, so that whatever a kernel fails to write is seen.</summary>
    private static Activation Poisoned(Shape shape, int samples)
    {
        var activation = new Activation(shape, samples);
        for (int n = 0; n < samples; n++)
        {
            activation.SampleSpan(n).Fill(float.NaN);
        }

        if (shape.C % 8 != 0)
        {
            ClearPaddingLanes(activation);
        }

        return activation;
    }

    private static void ClearPaddingLanes(Activation activation)
    {
        Shape shape = activation.Shape;
        for (int n = 0; n < activation.Capacity; n++)
        {
            for (int pixel = 0; pixel < shape.Area; pixel++)
            {
                activation.SampleSpan(n).Slice(((shape.Blocks - 1) * shape.Area + pixel) * 8 + shape.C % 8, 8 - shape.C % 8).Clear();
            }
        }
    }
}
