using ConvNet.Engine.Kernels;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using Xunit;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>Whole steps of the presets with the <c>Reference</c> kernels, each from its own formula state.</summary>
public sealed class NetStepTests
{
    private const double LossTolerance = 1e-5;
    private const double UpdateTolerance = 1e-3;
    private const double StatisticsTolerance = 1e-5;
    private const int SingleSteps = 5;

    private static readonly Sgd Optimizer = new() { LearningRate = 1e-3, Momentum = 0.9, Nesterov = true, WeightDecay = 5e-4 };

    public static TheoryData<string, int> Steps()
    {
        var steps = new TheoryData<string, int>();
        foreach (string net in ModelPresets.Names)
        {
            for (int step = 1; step <= SingleSteps; step++)
            {
                steps.Add(net, step);
            }
        }

        return steps;
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void Single_step_moves_weights_and_statistics_as_in_PyTorch(string net, int step)
    {
        GoldenFile file = GoldenFile.Read(net);
        GoldenCase golden = file.Cases[step];
        using var state = new NetState(net, step, KernelSet.Reference);

        Assert.Equal(golden.Loss, state.Train(), LossTolerance);

        foreach (Parameter parameter in state.Network.Model.Parameters)
        {
            var difference = new RelativeDifference();
            difference.Add(file, golden, $"update.{parameter.Name}", Update(golden, state, parameter));
            Assert.True(
                difference.Value <= UpdateTolerance, $"The update of {parameter.Name} is off by {difference.Value:g3} of its norm.");
        }

        for (int norm = 0; norm < state.Network.Model.BatchNorms.Count; norm++)
        {
            RunningStatistics.Compare(
                file, golden, state.Network.Model.BatchNorms[norm].Name, state.Exchange.BatchMoments(norm), StatisticsTolerance);
        }
    }

    /// <summary>New minus old weights.</summary>
    private static float[] Update(GoldenCase golden, NetState state, Parameter parameter)
    {
        float[] old = Padded(parameter, state.Initial(parameter));
        float[] gradient = Padded(parameter, state.Exchange.Gradient(parameter));
        float[] momentum = Padded(parameter, golden.StateOf(parameter.Name).Momentum(golden.Seed, parameter.Count));
        var next = new float[old.Length];
        Optimizer.Apply(new StepSettings(Optimizer.LearningRate, 1, 1, 1, []), 1, old, gradient, momentum, [], next);
        return [.. next.Zip(old, (a, b) => a - b).Take(parameter.Count)];
    }

    /// <summary>As the optimizer sees a tensor: zero-padded to whole blocks.</summary>
    private static float[] Padded(Parameter parameter, ReadOnlySpan<float> values)
    {
        var padded = new float[parameter.BlockCount * Parameter.BlockSize];
        values.CopyTo(padded);
        return padded;
    }
}
