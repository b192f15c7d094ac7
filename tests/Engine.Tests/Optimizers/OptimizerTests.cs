using System.Text.Json;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using Xunit;

namespace ConvNet.Engine.Tests.Optimizers;

/// <summary>Every optimizer against a plain loop in double precision, written from PyTorch's documentation.</summary>
public class OptimizerTests
{
    private const int Count = 16;
    private const int Steps = 12;

    [Theory]
    [InlineData(0.0, false, 0.0)]
    [InlineData(0.9, false, 0.0)]
    [InlineData(0.9, false, 0.05)]
    [InlineData(0.9, true, 0.05)]
    public void Sgd_follows_the_definition(double momentum, bool nesterov, double weightDecay)
    {
        var sgd = new Sgd { LearningRate = 0.1, Momentum = momentum, Nesterov = nesterov, WeightDecay = weightDecay };
        var buffer = new double[Count];
        Check(sgd, clip: 0.5, (i, w, g, _) =>
        {
            double d = g * 0.5 + weightDecay * w;
            buffer[i] = momentum * buffer[i] + d;
            return w - 0.1 * (momentum == 0 ? d : nesterov ? d + momentum * buffer[i] : buffer[i]);
        });
    }

    [Theory]
    [InlineData(false, 0.0)]
    [InlineData(false, 0.1)]
    [InlineData(true, 0.1)]
    public void Adam_follows_the_definition(bool decoupled, double weightDecay)
    {
        OptimizerSpec adam = decoupled
            ? new AdamW { LearningRate = 0.02, WeightDecay = weightDecay }
            : new Adam { LearningRate = 0.02, WeightDecay = weightDecay };
        var m = new double[Count];
        var v = new double[Count];
        Check(adam, clip: 1, (i, w, g, n) =>
        {
            double d = decoupled ? g : g + weightDecay * w;
            double shrunk = decoupled ? w * (1 - 0.02 * weightDecay) : w;
            m[i] = 0.9 * m[i] + 0.1 * d;
            v[i] = 0.999 * v[i] + 0.001 * d * d;
            double mHat = m[i] / (1 - Math.Pow(0.9, n));
            double vHat = v[i] / (1 - Math.Pow(0.999, n));
            return shrunk - 0.02 * mHat / (Math.Sqrt(vHat) + 1e-8);
        });
    }

    [Fact]
    public void Lars_scales_the_update_by_the_tensors_rate()
    {
        var lars = new Lars { LearningRate = 0.1, Momentum = 0.9, WeightDecay = 0.05 };
        var buffer = new double[Count];
        Check(
            lars,
            clip: 0.5,
            (i, w, g, _) =>
            {
                buffer[i] = 0.9 * buffer[i] + 0.25 * (g * 0.5 + 0.05 * w);
                return w - 0.1 * buffer[i];
            },
            tensorRate: 0.25f);
    }

    [Fact]
    public void Lars_trusts_only_weights_with_norms()
    {
        var lars = new Lars { TrustCoefficient = 0.01, WeightDecay = 0.5, Epsilon = 0 };
        var weight = new Parameter("w", [4], ParameterRole.Weight, 0, 0, 1, 1);
        var bias = new Parameter("b", [4], ParameterRole.Bias, 0, 1, 1, 1);

        Assert.Equal(0.01 * 2 / (3 + 0.5 * 2), lars.TensorRate(weight, weightNorm: 2, gradientNorm: 3), 15);
        Assert.Equal(1, lars.TensorRate(weight, 0, 3));
        Assert.Equal(1, lars.TensorRate(weight, 2, 0));
        Assert.Equal(1, lars.TensorRate(bias, 2, 3));
    }

    [Fact]
    public void The_first_momentum_buffer_is_the_gradient_itself()
    {
        var sgd = new Sgd { Momentum = 0.9 };
        float[] gradient = [.. Enumerable.Range(0, Count).Select(i => 0.1f * i - 0.33f)];
        var buffer = new float[Count];

        sgd.Apply(new StepSettings(0.1, 1, 1, 1, []), 1, new float[Count], gradient, buffer, [], new float[Count]);

        Assert.Equal(gradient, buffer);
    }

    [Fact]
    public void Padding_of_zeros_stays_zero()
    {
        OptimizerSpec[] optimizers =
        [
            new Sgd { Momentum = 0.9, Nesterov = true, WeightDecay = 0.1 }, new Adam { WeightDecay = 0.1 }, new AdamW { WeightDecay = 0.1 }, new Lars(),
        ];
        foreach (OptimizerSpec optimizer in optimizers)
        {
            (double first, double second) = optimizer.BiasCorrections(1);
            var next = new float[Count];
            Array.Fill(next, 7f);

            optimizer.Apply(new StepSettings(0.1, 1, first, second, []), 1, new float[Count], new float[Count], new float[Count], new float[Count], next);

            Assert.All(next, value => Assert.Equal(0, BitConverter.SingleToInt32Bits(value)));
        }
    }

    [Fact]
    public void Bias_corrections_of_many_updates_stay_exact()
    {
        var adam = new Adam();
        foreach (long update in (long[])[1, 2, 3, 1000, 100_000])
        {
            (double first, double second) = adam.BiasCorrections(update);
            Assert.Equal(1 - Math.Pow(0.9, update), first, 13);
            Assert.Equal(Math.Sqrt(1 - Math.Pow(0.999, update)), second, 13);
        }
    }

    [Fact]
    public void Optimizers_survive_JSON()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        OptimizerSpec[] optimizers =
        [
            new Sgd { LearningRate = 0.3, Momentum = 0.8, Nesterov = true }, new Adam { Beta1 = 0.5 }, new AdamW { WeightDecay = 0.1 },
            new Lars { TrustCoefficient = 0.02 },
        ];
        foreach (OptimizerSpec optimizer in optimizers)
        {
            string json = JsonSerializer.Serialize(optimizer, options);
            Assert.Equal(optimizer, JsonSerializer.Deserialize<OptimizerSpec>(json, options));
            Assert.DoesNotContain("slotNames", json);
            Assert.DoesNotContain("needsWeightNorms", json);
        }

        Assert.IsType<AdamW>(JsonSerializer.Deserialize<OptimizerSpec>("""{"type":"adamw","learningRate":0.1}""", options));
    }

    [Fact]
    public void Options_out_of_range_are_named()
    {
        AssertRefused("learningRate", new Sgd { LearningRate = double.NaN });
        AssertRefused("weightDecay", new Sgd { WeightDecay = -1 });
        AssertRefused("momentum", new Sgd { Momentum = 1 });
        AssertRefused("momentum", new Sgd { Nesterov = true });
        AssertRefused("beta2", new Adam { Beta2 = 1.5 });
        AssertRefused("epsilon", new AdamW { Epsilon = 0 });
        AssertRefused("trustCoefficient", new Lars { TrustCoefficient = 0 });
    }

    private static void AssertRefused(string option, OptimizerSpec optimizer)
    {
        var refusal = Assert.Throws<ConvNetException>(optimizer.Validate);
        Assert.Equal(ExitCode.BadInput, refusal.ExitCode);
        Assert.Contains(option, refusal.Message);
    }

    private static void Check(OptimizerSpec optimizer, double clip, Func<int, double, double, int, double> oracle, float tensorRate = 1)
    {
        float[] w = [.. Enumerable.Range(0, Count).Select(i => 0.1f * i - 0.7f)];
        double[] expected = Array.ConvertAll(w, value => (double)value);
        var slot0 = new float[Count];
        var slot1 = new float[Count];
        var next = new float[Count];
        for (int step = 0; step < Steps; step++)
        {
            float[] g = [.. Enumerable.Range(0, Count).Select(i => ((i * 7 + step * 5) % 13 - 6) / 10f)];
            (double first, double second) = optimizer.BiasCorrections(step + 1);
            optimizer.Apply(new StepSettings(optimizer.LearningRate, clip, first, second, []), tensorRate, w, g, slot0, slot1, next);
            for (int i = 0; i < Count; i++)
            {
                expected[i] = oracle(i, expected[i], g[i], step + 1);
                Assert.True(Math.Abs(expected[i] - next[i]) <= 3e-6, $"{optimizer} step {step}, value {i}: {next[i]}, expected {expected[i]}");
            }

            next.CopyTo(w, 0);
        }
    }
}
