using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Gpu.Training;
using Xunit;

namespace ConvNet.Gpu.Tests.Training;

public sealed class BitCheckTests
{
    [Fact]
    public void A_device_with_the_bits_of_the_processor_is_taken()
    {
        using var device = GpuDevice.Emulated();
        device.DemandBits();
    }

    [Theory]
    [InlineData("weight", "^1 of [0-9]{4,} weights of a small net, the first in 0.weight, differ from the processor's after 4 steps$")]
    [InlineData("loss", "^the losses of a small net differ from the processor's in 4 steps$")]
    [InlineData("statistics", "^the running statistics of .* of a small net differ from the processor's after 4 steps$")]
    public void A_device_with_other_bits_is_told_with_what_differs(string other, string fault)
    {
        using var device = new OtherDevice(other);
        Assert.Matches(fault, BitCheck.FaultOf(device));
    }

    /// <summary>The processor, but for the last bits of one value.</summary>
    private sealed class OtherDevice(string other) : ComputeDevice
    {
        public override string Name => "other";

        public override ModelRunner CreateRunner(Model model, ThreadTeam team, KernelSet kernels = KernelSet.Fast) =>
            new OtherRunner(model, team, other);

        public override void Dispose()
        {
        }
    }

    private sealed class OtherRunner(Model model, ThreadTeam team, string other) : ModelRunner(model, team)
    {
        private readonly Network _network = new(model, team);

        public override Activation Input(int samples) => _network.Input(samples);

        public override Metrics[] TrainStep(ShardPlan plan, StepExchange exchange, long step, ulong seed, int[] labels, int[] sampleIndices)
        {
            Metrics[] metrics = _network.TrainStep(plan, exchange, step, seed, labels, sampleIndices);
            switch (step == 3 ? other : "")
            {
                case "weight":
                    Model.Parameters[0].Values[0] *= 1 + 1e-6f;
                    break;
                case "loss":
                    metrics[0] = metrics[0] with { LossSum = Math.BitIncrement(metrics[0].LossSum) };
                    break;
                case "statistics":
                    ((LocalExchange)exchange).BatchMoments(0).M2[0] *= 1 + 1e-6;
                    break;
            }

            return metrics;
        }

        public override void PrepareEvaluation(IReadOnlyList<BatchNormState> statistics) => _network.PrepareEvaluation(statistics);

        public override Activation Predict(int samples) => _network.Predict(samples);

        public override Metrics Evaluate(int samples, int[] labels) => _network.Evaluate(samples, labels);

        public override void Dispose() => _network.Dispose();
    }
}
