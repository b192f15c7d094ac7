using System.Runtime.InteropServices;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Layers;
using ConvNet.Gpu.Numerics;
using Xunit;

namespace ConvNet.Gpu.Tests.Layers;

/// <summary>Updates of parameters that stay on a device, against those of the engine's optimizers.</summary>
public sealed class DeviceParametersTests(EmulatedDevice emulated) : IClassFixture<EmulatedDevice>
{
    private const string Layers = """
        {"name":"n","input":[3,6,6],"layers":[
          {"type":"conv","out":13,"kernel":3,"bias":true},{"type":"batchNorm"},{"type":"flatten"},{"type":"fullyConnected","out":5}]}
        """;

    private readonly KernelDevice _device = emulated.Device;
    private readonly Model _model = new(ModelFile.Parse(Layers), BatchNormMode.Sync);
    private readonly RandomValues _random = new(5);

    public static TheoryData<OptimizerSpec> Optimizers { get; } = new()
    {
        new Sgd { WeightDecay = 0.01 },
        new Sgd { Momentum = 0.9, WeightDecay = 0.01 },
        new Sgd { Momentum = 0.9, Nesterov = true },
        new Adam { WeightDecay = 0.01, Epsilon = 1e-6 },
        new AdamW { WeightDecay = 0.01, Beta1 = 0.8 },
        new Lars { WeightDecay = 0.01, Momentum = 0.8 },
    };

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Updates_have_the_engines_bits_with_other_numbers_in_each_step(OptimizerSpec optimizer)
    {
        using var kept = new DeviceParameters(_device, _model, optimizer);
        var expected = new Dictionary<Parameter, (float[] Values, float[][] Slots)>();
        foreach (Parameter tensor in _model.Parameters)
        {
            _random.Fill(tensor.Values.AsSpan(0, tensor.Count));
            expected.Add(tensor, ([.. tensor.Values], [.. optimizer.SlotNames.Select(_ => new float[tensor.Values.Length])]));
        }

        kept.Load();
        for (int step = 1; step <= 4; step++)
        {
            (double first, double secondRoot) = optimizer.BiasCorrections(step);
            double[] rates = optimizer is Lars ? [.. _model.Parameters.Select(_ => (double)MathF.Abs(_random.Float()))] : [];
            var settings = new StepSettings(0.1 / step, step == 2 ? 0.37 : 1, first, secondRoot, rates);
            foreach ((int index, Parameter tensor) in _model.Parameters.Index())
            {
                float[] gradient = new float[tensor.Values.Length];
                _random.Fill(gradient.AsSpan(0, tensor.Count));
                Set(kept.Gradient(tensor), gradient.AsSpan(0, tensor.Count));
                (float[] values, float[][] slots) = expected[tensor];
                optimizer.Apply(settings, settings.TensorRate(index), values, gradient, SlotOf(slots, 0), SlotOf(slots, 1), values);
            }

            kept.Update(settings);
            kept.Read();
            foreach (Parameter tensor in _model.Parameters)
            {
                Bits.AssertSame(expected[tensor].Values, tensor.Values, $"{tensor.Name} after step {step}");
            }
        }
    }

    [Fact]
    public void Loading_anew_begins_with_slots_of_zeros()
    {
        var optimizer = new Sgd { LearningRate = 1, Momentum = 0.5 };
        using var kept = new DeviceParameters(_device, _model, optimizer);
        Parameter tensor = _model.Parameters[0];
        float[] ones = [.. Enumerable.Repeat(1f, tensor.Count)];
        for (int round = 0; round < 2; round++)
        {
            Array.Clear(tensor.Values);
            kept.Load();
            Set(kept.Gradient(tensor), ones);
            kept.Update(new StepSettings(1, 1, 1, 1, []));
            kept.Read();
            Assert.Equal((-1f, -1f), (tensor.Values[0], tensor.Values[tensor.Count - 1]));
        }
    }

    private static Span<float> SlotOf(float[][] slots, int slot) => slot < slots.Length ? slots[slot] : [];

    private void Set(ILGPU.ArrayView<Float32> target, ReadOnlySpan<float> values)
    {
        using var source = new DeviceBuffer<Float32>(_device, "gradient").Reserve(values.Length);
        source.Upload(MemoryMarshal.Cast<float, Float32>(values));
        _device.CopyTo(target, source.View);
        _device.Synchronize();
    }
}
