using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Layers;

namespace ConvNet.Gpu.Tests.Convolutions;

/// <summary>Runs one layer with parameters in all phases, on the processor and on a device, and compares every value that results.</summary>
internal sealed class LayerBits(KernelDevice device, int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>Where some values are NaN, infinite or subnormal.</summary>
    public bool Extreme { get; init; }

    public void AssertSame(Layer layer, DeviceLayer deviceLayer, ShardPlan plan)
    {
        using var team = new ThreadTeam(1);
        int samples = plan.Samples;
        int capacity = samples + _random.Next(2);
        var step = new StepContext(team, KernelSet.Fast) { Training = true, Samples = samples, Plan = plan, Exchange = new NoExchange() };
        foreach (Parameter parameter in layer.Parameters)
        {
            Fill(parameter.Values.AsSpan(0, parameter.Count), 1 / MathF.Sqrt(parameter.FanIn));
            parameter.ReserveRoots(plan.Roots.Length);
        }

        using Activation x = Filled(layer.Input, capacity), dy = Filled(layer.Output, capacity);
        using var deviceStep = new DeviceStep(device)
        {
            Training = true,
            Samples = samples,
            Plan = plan,
            Exchange = new NoExchange(),
        };
        deviceStep.Shards.Load(plan);
        using DeviceTensor deviceX = Uploaded(x), deviceDy = Uploaded(dy);
        using var y = new Activation(layer.Output, capacity);
        using var dx = new Activation(layer.Input, capacity);

        layer.Load(step);
        deviceLayer.Load(deviceStep);
        Activation expectedY = layer.Forward(x, step);
        deviceLayer.Forward(deviceX, deviceStep).Download(y, samples);
        AssertSame(expectedY, y, samples, "y");

        Activation expectedDx = layer.Backward(dy, step, needsInputGradient: true)!;
        float[][][] expected = Roots(layer, plan);
        deviceLayer.Backward(deviceDy, deviceStep, needsInputGradient: true)!.Download(dx, samples);
        deviceStep.Downloads.FlushAll(deviceStep);
        float[][][] actual = Roots(layer, plan);
        for (int p = 0; p < expected.Length; p++)
        {
            for (int root = 0; root < plan.Roots.Length; root++)
            {
                Bits.AssertSame(expected[p][root], actual[p][root], $"{layer.Parameters[p]}, root {root}");
            }
        }

        AssertSame(expectedDx, dx, samples, "dx");
        deviceLayer.Dispose();
        layer.Dispose();
    }

    /// <summary>Copies, and leaves NaN behind, so that a root that is not written is seen.</summary>
    private static float[][][] Roots(Layer layer, ShardPlan plan) =>
    [
        .. layer.Parameters.Select(parameter => plan.Roots.Select((_, root) =>
        {
            Span<float> values = parameter.GradientRoot(root).AsSpan(0, parameter.Count);
            float[] copy = values.ToArray();
            values.Fill(float.NaN);
            return copy;
        }).ToArray()),
    ];

    /// <summary>The first samples, padding lanes included.</summary>
    private static unsafe void AssertSame(Activation expected, Activation actual, int samples, string what)
    {
        int length = samples * expected.SampleStride;
        Bits.AssertSame(new ReadOnlySpan<float>(expected.Data, length), new ReadOnlySpan<float>(actual.Data, length), what);
    }

    private DeviceTensor Uploaded(Activation activation)
    {
        var tensor = new DeviceTensor(device, activation.Shape, activation.Capacity);
        device.Upload(activation, activation.Capacity, tensor);
        return tensor;
    }

    private Activation Filled(Shape shape, int capacity)
    {
        var activation = new Activation(shape, capacity);
        var values = new float[shape.Count];
        for (int n = 0; n < capacity; n++)
        {
            Fill(values, 1);
            for (int i = 0; i < values.Length; i++)
            {
                activation[n, i / shape.Area, i % shape.Area / shape.W, i % shape.W] = values[i];
            }
        }

        return activation;
    }

    private void Fill(Span<float> values, float scale)
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = scale * (2 * _random.NextSingle() - 1);
            if (_random.Next(8) == 0)
            {
                values[i] = _random.Next(2) == 0 ? 0f : -0f;
            }
            else if (Extreme)
            {
                values[i] *= MathF.Pow(2, _random.Next(-90, -50));
            }
        }
    }

    private sealed class NoExchange : StepExchange
    {
        public override void Pull(Parameter parameter)
        {
        }

        public override void GradientReady(Parameter parameter)
        {
        }

        public override Moments ReduceMoments(int norm, Moments[] roots) => throw new NotSupportedException();

        public override BackwardSums ReduceBackwardSums(int norm, BackwardSums[] roots) => throw new NotSupportedException();

        public override void ReportMoments(int norm, Moments[] roots)
        {
        }

        public override void ReportBackwardSums(int norm, BackwardSums[] roots)
        {
        }
    }
}
