using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Layers;
using Xunit;

namespace ConvNet.Gpu.Tests.Layers;

/// <summary>
/// Some layers on the processor and on an emulated device: the same input, parameters and gradient of the output, and the same bits of everything
/// that leaves them. The worker holds some of the job's shards.
/// </summary>
internal sealed class TwinPass
{
    private readonly KernelDevice _device;
    private readonly BatchNormMode _mode;
    private readonly Shape _input;
    private readonly IReadOnlyList<LayerSpec> _specs;
    private readonly ShardPlan _plan;
    private readonly RandomValues _random;

    /// <param name="layers">As in a model file.</param>
    /// <param name="shards">First and end, of 4, that this worker holds.</param>
    public TwinPass(
        KernelDevice device, string layers, Shape input, int batch, (int First, int End) shards, int seed, BatchNormMode mode = BatchNormMode.Sync)
    {
        (_device, _mode, _input, _random) = (device, mode, input, new RandomValues(seed));
        _specs = ModelFile.Parse($$"""{"name":"n","input":[{{input.C}},{{input.H}},{{input.W}}],"layers":[{{layers}}]}""").Layers;
        _plan = new ShardPlan(new ShardTree(batch, 4), shards.First, shards.End);
    }

    /// <summary>Puts a value here and there into input and gradient.</summary>
    public float? Odd { get; init; }

    public void AssertSame()
    {
        LayerSequence expected = Build(), actual = Build();
        using var team = new ThreadTeam(1);
        using var x = Filled(_input);
        using var dy = Filled(expected.Output);
        using var deviceX = new DeviceTensor(_device, _input, x.Capacity);
        using var deviceDy = new DeviceTensor(_device, expected.Output, dy.Capacity);
        _device.Upload(x, _plan.Samples, deviceX);
        _device.Upload(dy, _plan.Samples, deviceDy);
        FillParameters(expected, actual);

        var exchange = new TwinExchange();
        StepContext step = ContextOf(team, exchange);
        Activation y = expected.Forward(x, step);
        float[] output = Copy(y);
        Activation dx = expected.Backward(dy, step, needsInputGradient: true)!;

        var deviceExchange = new TwinExchange();
        using var layers = new DeviceSequence(actual, _device);
        using DeviceStep deviceStep = StepOf(deviceExchange);
        deviceStep.Shards.Load(_plan);
        DeviceTensor deviceY = layers.Forward(deviceX, deviceStep);
        Bits.AssertSame(output, Download(deviceY), "output");
        DeviceTensor deviceDx = layers.Backward(deviceDy, deviceStep, needsInputGradient: true)!;
        deviceStep.Downloads.FlushAll(deviceStep);
        Bits.AssertSame(Copy(dx), Download(deviceDx), "gradient of the input");

        foreach ((Parameter left, Parameter right) in ParametersOf(expected).Zip(ParametersOf(actual)).Where(pair => !pair.First.DeliveredByBatchNorm))
        {
            for (int root = 0; root < _plan.Roots.Length; root++)
            {
                Bits.AssertSame(left.GradientRoot(root), right.GradientRoot(root), $"root {root} of {left.Name}");
            }
        }

        exchange.AssertSame(deviceExchange);
        Assert.Equal(_plan.HasWholeBatch ? 0 : exchange.Waits, deviceExchange.Waits);
    }

    private static List<Parameter> ParametersOf(LayerSequence layers) => [.. layers.Walk().SelectMany(layer => layer.Parameters)];

    private LayerSequence Build() => new ModelBuilder(_mode).Build(_specs, "", _input);

    private Activation Filled(Shape shape)
    {
        // One slot more than samples: a pass may have fewer samples than slots.
        var values = new Activation(shape, _plan.Samples + 1);
        for (int n = 0; n < _plan.Samples; n++)
        {
            for (int i = 0; i < shape.Count; i++)
            {
                bool odd = Odd is not null && _random.Number(0, 40) == 0;
                values[n, i / shape.Area, i % shape.Area / shape.W, i % shape.W] = odd ? Odd!.Value : _random.Float();
            }
        }

        return values;
    }

    private void FillParameters(LayerSequence expected, LayerSequence actual)
    {
        foreach ((Parameter left, Parameter right) in ParametersOf(expected).Zip(ParametersOf(actual)))
        {
            _random.Fill(left.Values.AsSpan(0, left.Count));
            left.Values.CopyTo(right.Values, 0);
            left.ReserveRoots(_plan.Roots.Length);
            right.ReserveRoots(_plan.Roots.Length);
        }
    }

    private StepContext ContextOf(ThreadTeam team, StepExchange exchange) => new(team, KernelSet.Fast)
    {
        Training = true,
        Samples = _plan.Samples,
        Plan = _plan,
        Exchange = exchange,
        Step = 7,
        Seed = 0x123456789ABC,
        SampleIndices = [.. Enumerable.Range(100, _plan.Samples)],
    };

    private DeviceStep StepOf(StepExchange exchange) => new(_device)
    {
        Training = true,
        Samples = _plan.Samples,
        Plan = _plan,
        Exchange = exchange,
        Step = 7,
        Seed = 0x123456789ABC,
        SampleIndices = [.. Enumerable.Range(100, _plan.Samples)],
    };

    /// <summary>In logical order.</summary>
    private float[] Copy(Activation values)
    {
        var copy = new List<float>();
        for (int n = 0; n < _plan.Samples; n++)
        {
            for (int i = 0; i < values.Shape.Count; i++)
            {
                copy.Add(values[n, i / values.Shape.Area, i % values.Shape.Area / values.Shape.W, i % values.Shape.W]);
            }
        }

        return [.. copy];
    }

    private float[] Download(DeviceTensor values)
    {
        using var copy = new Activation(values.Shape, values.Capacity);
        values.Download(copy, _plan.Samples);
        AssertPaddingIsZero(copy);
        return Copy(copy);
    }

    /// <summary>Also where values are not finite, while the engine then leaves 0·∞ there, which nobody reads.</summary>
    private void AssertPaddingIsZero(Activation values)
    {
        for (int n = 0; n < _plan.Samples; n++)
        {
            for (int lane = values.Shape.C; lane < 8 * values.Shape.Blocks; lane++)
            {
                for (int i = 0; i < values.Shape.Area; i++)
                {
                    Assert.Equal(0f, values[n, lane, i / values.Shape.W, i % values.Shape.W]);
                }
            }
        }
    }
}
