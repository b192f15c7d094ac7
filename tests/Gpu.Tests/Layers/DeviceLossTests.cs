using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Layers;
using Xunit;

namespace ConvNet.Gpu.Tests.Layers;

/// <summary>Loss, correct answers and gradients against the engine, for logits of every size.</summary>
public sealed class DeviceLossTests(EmulatedDevice emulated) : IClassFixture<EmulatedDevice>
{
    private readonly KernelDevice _device = emulated.Device;

    [Theory]
    [InlineData(2, 1f)]
    [InlineData(10, 20f)]
    [InlineData(13, 400f)]
    [InlineData(100, 2000f)]
    [InlineData(7, 1e30f)]
    [InlineData(9, 1e-30f)]
    [InlineData(1, 3f)]
    public void The_loss_has_the_engines_bits(int classes, float size) => AssertSame(classes, random => random.Float() * size);

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void The_loss_has_the_engines_bits_with_a_logit_that_is_not_finite(float odd) =>
        AssertSame(5, random => random.Number(0, 6) == 0 ? odd : random.Float());

    /// <summary>Each logit but the first is below it by a multiple of 0.37: all of what the exponential takes, down to nothing.</summary>
    [Fact]
    public void The_exponential_has_the_engines_bits_over_all_of_its_range()
    {
        int next = 0;
        AssertSame(300, _ => next % 300 == 0 ? 0f * next++ : -0.37f * (next++ % 2100));
    }

    [Fact]
    public void A_label_that_is_no_class_is_refused()
    {
        var plan = new ShardPlan(new ShardTree(1, 1), 0, 1);
        using var loss = new DeviceLoss(_device, new Shape(3, 1, 1));
        using var step = new DeviceStep(_device) { Training = true, Plan = plan, Samples = 1 };
        using var logits = new DeviceTensor(_device, new Shape(3, 1, 1), 1);
        var refused = Assert.Throws<ConvNetException>(() => loss.Run(logits, [3], step));
        Assert.Equal((ExitCode.BadInput, true), (refused.ExitCode, refused.Message.Contains("a sample has class 3, but the model has 3 outputs")));
    }

    /// <param name="logit">The next one.</param>
    private void AssertSame(int classes, Func<RandomValues, float> logit)
    {
        var random = new RandomValues(classes);
        var plan = new ShardPlan(new ShardTree(11, 4), 1, 4);
        var shape = new Shape(classes, 1, 1);
        using var logits = new Activation(shape, plan.Samples + 1);
        int[] labels = new int[plan.Samples];
        for (int n = 0; n < plan.Samples; n++)
        {
            labels[n] = random.Number(0, classes - 1);
            for (int k = 0; k < classes; k++)
            {
                logits[n, k, 0, 0] = logit(random);
            }
        }

        using var expected = new SoftmaxCrossEntropy(classes);
        Metrics[] expectedRoots = expected.Forward(logits, labels, plan);

        using var loss = new DeviceLoss(_device, shape);
        using var step = new DeviceStep(_device) { Training = true, Plan = plan, Samples = plan.Samples };
        using var deviceLogits = new DeviceTensor(_device, shape, logits.Capacity);
        using var gradient = new Activation(shape, logits.Capacity);
        _device.Upload(logits, plan.Samples, deviceLogits);
        loss.Run(deviceLogits, labels, step).Download(gradient, plan.Samples);
        step.Downloads.FlushAll(step);

        Assert.Equal(
            expectedRoots.Select(root => (BitsOf(root.LossSum), root.Correct, root.Count)),
            loss.Roots.Select(root => (BitsOf(root.LossSum), root.Correct, root.Count)));
        for (int n = 0; n < plan.Samples; n++)
        {
            Bits.AssertSame(expected.Backward().SampleSpan(n), gradient.SampleSpan(n), $"gradient of sample {n}");
        }
    }

    /// <summary>NaNs may differ in bits that nobody reads.</summary>
    private static long BitsOf(double value) => double.IsNaN(value) ? -1 : BitConverter.DoubleToInt64Bits(value);
}
