using System.Runtime.InteropServices;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Numerics;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;

namespace ConvNet.Gpu.Training;

/// <summary>
/// Trains a small net on a device and on the processor, and compares all bits: a card, or the compiler in its driver, may be other than those that the
/// kernels were made for, and nobody would see a last bit that differs until two machines disagree.
/// </summary>
internal static class BitCheck
{
    private const ulong Seed = 1;

    /// <summary>The first makes memory, the second is launched by itself, the third is recorded, and the fourth is that recording.</summary>
    private const int Steps = 4;

    private const int Batch = 4;

    /// <summary>Each family of kernels once.</summary>
    private static readonly ModelSpec Net = ModelFile.Parse("""
        {"name":"bit-check","input":[3,12,12],"layers":[
          {"type":"conv","out":16,"kernel":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},
          {"type":"conv","out":16,"kernel":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":2,"stride":2},
          {"type":"residual","main":[{"type":"conv","out":24,"kernel":3,"stride":2,"padding":1,"rounding":"floor"},{"type":"batchNorm"}],
           "shortcut":[{"type":"conv","out":24,"kernel":1,"stride":2,"rounding":"floor"},{"type":"batchNorm"}]},
          {"type":"conv","out":24,"kernel":3,"padding":1,"groups":24},{"type":"groupNorm","groups":3},{"type":"dropout","rate":0.25},
          {"type":"conv","out":16,"kernel":5,"padding":2,"bias":true},{"type":"layerNorm"},{"type":"globalAvgPool"},{"type":"flatten"},
          {"type":"fullyConnected","out":10}]}
        """);

    /// <summary>What differs, as a clause, or null if nothing does.</summary>
    /// <exception cref="ConvNetException">The device cannot run it.</exception>
    public static string? FaultOf(ComputeDevice device)
    {
        using var team = new ThreadTeam(1);
        using ModelRunner expected = CpuDevice.Instance.CreateRunner(new Model(Net, BatchNormMode.Sync), team);
        using ModelRunner actual = device.CreateRunner(new Model(Net, BatchNormMode.Sync), team);
        Ending ending = Train(expected, keepsParameters: false);
        return FaultOf(actual, ending, keepsParameters: false) ?? FaultOf(actual, ending, keepsParameters: true);
    }

    private static string? FaultOf(ModelRunner runner, Ending expected, bool keepsParameters)
    {
        Ending actual = Train(runner, keepsParameters);
        int differing = 0;
        string? first = null;
        foreach ((Parameter tensor, float[] right, float[] found) in runner.Model.Parameters.Zip(expected.Weights, actual.Weights))
        {
            int here = Differing(right, found);
            first ??= here > 0 ? tensor.Name : null;
            differing += here;
        }

        if (first is not null)
        {
            string where = keepsParameters ? ", which updates them itself" : "";
            return $"{differing} of {runner.Model.Parameters.Sum(parameter => parameter.Count)} weights of a small net{where}, the first in {first}, " +
                $"differ from the processor's after {Steps} steps";
        }

        foreach ((BatchNormState right, BatchNormState found) in expected.Statistics.Zip(actual.Statistics))
        {
            if (Differing(right.RunningMean, found.RunningMean) + Differing(right.RunningVar, found.RunningVar) > 0)
            {
                return $"the running statistics of {right.Name} of a small net differ from the processor's after {Steps} steps";
            }
        }

        return expected.Losses.SequenceEqual(actual.Losses) ? null : $"the losses of a small net differ from the processor's in {Steps} steps";
    }

    private static Ending Train(ModelRunner runner, bool keepsParameters)
    {
        var optimizer = new Sgd { LearningRate = 0.05, Momentum = 0.9 };
        var training = new LocalTraining(runner, optimizer, Seed, dataShards: 2, keepsParameters: keepsParameters);
        PhiloxStream random = Philox.Shuffle(Seed, epoch: 0);
        var labels = new int[Batch];
        int[] samples = [.. Enumerable.Range(0, Batch)];
        var losses = new Metrics[Steps];
        for (int step = 0; step < Steps; step++)
        {
            Fill(runner.Input(Batch), ref random);
            for (int n = 0; n < Batch; n++)
            {
                labels[n] = random.NextBelow(runner.Model.Classes);
            }

            losses[step] = training.Step(labels, samples);
        }

        training.ReadParameters();
        return new Ending(losses, training.Exchange.Statistics, [.. runner.Model.Parameters.Select(tensor => tensor.Values.ToArray())]);
    }

    private static void Fill(Activation input, ref PhiloxStream random)
    {
        (int channels, int height, int width) = Net.Input;
        for (int i = 0; i < Batch * channels * height * width; i++)
        {
            int place = i / width;
            input[place / height / channels, place / height % channels, place % height, i % width] = (2 * random.NextFloat()) - 1;
        }
    }

    private static int Differing(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        ReadOnlySpan<int> a = MemoryMarshal.Cast<float, int>(left), b = MemoryMarshal.Cast<float, int>(right);
        int count = 0;
        for (int i = 0; i < a.Length; i++)
        {
            count += a[i] == b[i] ? 0 : 1;
        }

        return count;
    }

    /// <summary>What a training has led to.</summary>
    /// <param name="Losses">And correct answers, of each step.</param>
    /// <param name="Weights">By tensor.</param>
    private sealed record Ending(Metrics[] Losses, BatchNormState[] Statistics, float[][] Weights);
}
