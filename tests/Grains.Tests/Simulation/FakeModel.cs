using System.Runtime.InteropServices;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Training;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>
/// A model without arithmetic of its own: gradients, moments and losses of a shard are hashes of (step, shard, place) mixed with
/// the weights and with the batch-norm totals, so that any wrong version or sum anywhere changes the final state.
/// </summary>
internal sealed class FakeModel
{
    private const int Channels = 5;
    private const int PixelsPerSample = 3;

    /// <summary>In five blocks, the last of them smaller.</summary>
    public const int TestSamples = 1100;

    public FakeModel(FakeJob job)
    {
        Job = job;
        bool delivered = job.BatchNorm == BatchNormMode.Sync;
        Layout = new ParameterLayout(
        [
            Tensor("0.weight", 1300, ParameterRole.Weight, 0),
            Tensor("1.weight", Channels, ParameterRole.Scale, 1, delivered),
            Tensor("1.bias", Channels, ParameterRole.Shift, 1, delivered),
            Tensor("2.weight", 2100, ParameterRole.Weight, 2),
            Tensor("2.bias", 30, ParameterRole.Bias, 2),
            Tensor("3.weight", Channels, ParameterRole.Scale, 3, delivered),
            Tensor("3.bias", Channels, ParameterRole.Shift, 3, delivered),
            Tensor("4.weight", 70, ParameterRole.Weight, 4),
        ]);
    }

    public FakeJob Job { get; }

    public ParameterLayout Layout { get; }

    public int Norms => 2;

    public BatchNormState[] InitialStatistics() => [.. Enumerable.Range(0, Norms).Select(norm => BatchNormState.Initial($"{1 + 2 * norm}", Channels))];

    public float[] InitialWeights(int tensor)
    {
        var values = new float[Layout.Tensors[tensor].Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)SplitMix.Unit(SplitMix.Hash(-1, tensor, i));
        }

        return values;
    }

    public Moments MomentsOf(long step, LocalShard shard, int norm, float[][] weights)
    {
        var mean = new double[Channels];
        var m2 = new double[Channels];
        for (int c = 0; c < Channels; c++)
        {
            mean[c] = SplitMix.Unit(SplitMix.Hash(step, shard.Shard, norm, c)) + weights[3 * norm][c];
            m2[c] = Math.Abs(SplitMix.Unit(SplitMix.Hash(step, shard.Shard, norm, c + 100))) * shard.Count;
        }

        return new Moments(shard.Count * PixelsPerSample, mean, m2);
    }

    public BackwardSums BackwardOf(long step, LocalShard shard, int norm, Moments batch)
    {
        var dy = new double[Channels];
        var dyXhat = new double[Channels];
        for (int c = 0; c < Channels; c++)
        {
            dy[c] = SplitMix.Unit(SplitMix.Hash(step, shard.Shard, norm, c + 200)) * batch.Mean[c];
            dyXhat[c] = SplitMix.Unit(SplitMix.Hash(step, shard.Shard, norm, c + 300)) * batch.M2[c];
        }

        return new BackwardSums(dy, dyXhat);
    }

    /// <param name="batch">Totals of all norms; null entries in ghost batch norm.</param>
    public float[] GradientOf(long step, LocalShard shard, int tensor, float[] weights, Moments?[] batch)
    {
        float shift = (float)(batch[tensor % Norms]?.Mean[tensor % Channels] ?? 0);
        var gradient = new float[Layout.Tensors[tensor].BlockCount * Parameter.BlockSize];
        for (int i = 0; i < Layout.Tensors[tensor].Count; i++)
        {
            gradient[i] = (float)SplitMix.Unit(SplitMix.Hash(step, shard.Shard, tensor, i)) * 0.1f + 0.3f * weights[i] + 0.01f * shift;
        }

        if (step == Job.NonFiniteStep && shard.Shard == 1 && tensor == 3)
        {
            gradient[17] = float.NaN;
        }

        if (step == Job.FlippedStep && shard.Shard == 2 && tensor == 0)
        {
            FlipBit(gradient);
        }

        return gradient;
    }

    public Metrics MetricsOf(long step, LocalShard shard, float[][] weights) =>
        new(SplitMix.Unit(SplitMix.Hash(step, shard.Shard, 7)) + weights[7][3], (long)(SplitMix.Hash(step, shard.Shard, 8) % (ulong)(shard.Count + 1)), shard.Count);

    /// <summary>The sums of the test samples of some blocks, which depend on every bit of a version.</summary>
    /// <param name="weights">By tensor, perhaps with padding at their ends.</param>
    public Metrics[] EvaluateBlocks(int first, int end, float[][] weights, IEnumerable<BatchNormState> statistics)
    {
        ulong digest = 0;
        foreach (ReadOnlyMemory<float> tensor in weights.Select((tensor, i) => (ReadOnlyMemory<float>)tensor.AsMemory(0, Layout.Tensors[i].Count))
            .Concat(statistics.SelectMany(norm => new ReadOnlyMemory<float>[] { norm.RunningMean, norm.RunningVar })))
        {
            foreach (int bits in MemoryMarshal.Cast<float, int>(tensor.Span))
            {
                digest = SplitMix.Mix(digest * 31 + (uint)bits);
            }
        }

        return [.. Enumerable.Range(first, end - first).Select(block => BlockOf(block, (long)digest))];
    }

    /// <summary>What an evaluation of this state must give.</summary>
    public EvaluationResult EvaluationOf(FakeState state)
    {
        Metrics sum = Evaluation.Sum(EvaluateBlocks(0, Evaluation.BlockCount(TestSamples), state.Weights, state.Statistics));
        return new EvaluationResult(state.Position.Step, sum.Count, sum.LossSum / sum.Count, (double)sum.Correct / sum.Count);
    }

    /// <summary>A high bit of the mantissa of one value.</summary>
    public static void FlipBit(float[] values) => MemoryMarshal.Cast<float, int>(values.AsSpan())[5] ^= 1 << 20;

    private static Metrics BlockOf(int block, long version)
    {
        int count = Math.Min(Evaluation.BlockSamples, TestSamples - block * Evaluation.BlockSamples);
        ulong hash = SplitMix.Hash(block, version, 9);
        return new Metrics(SplitMix.Unit(hash), (long)(hash % (ulong)(count + 1)), count);
    }

    private static Parameter Tensor(string name, int count, ParameterRole role, int layer, bool delivered = false) =>
        new(name, [count], role, layer, 0, 1, 1, delivered);
}
