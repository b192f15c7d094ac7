using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using Xunit;

namespace ConvNet.Engine.Tests.Training;

public class LocalTrainingTests
{
    [Theory]
    [InlineData("lenet", KernelSet.Reference)]
    [InlineData("lenet", KernelSet.Fast)]
    public void A_preset_learns_its_batch_by_heart(string preset, KernelSet kernels)
    {
        using var team = new ThreadTeam(2);
        using var network = new Network(new Model(ModelFile.Load(preset), BatchNormMode.Sync), team, kernels);
        var training = new LocalTraining(network, new Sgd { LearningRate = 0.05 }, seed: 1);
        int[] labels = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        double first = 0;
        double last = 0;
        for (int step = 0; step < 8; step++)
        {
            FillInput(network.Input(10));
            Metrics metrics = training.Step(labels, labels);
            last = metrics.LossSum / metrics.Count;
            first = step == 0 ? last : first;
        }

        Assert.InRange(first, 1.5, 6);
        Assert.True(last < first * 0.9, $"loss {first} -> {last}");
    }

    private static void FillInput(Activation input)
    {
        for (int n = 0; n < 10; n++)
        {
            for (int h = 0; h < input.Shape.H; h++)
            {
                for (int w = 0; w < input.Shape.W; w++)
                {
                    input[n, 0, h, w] = (h * (n + 2) + w * (n + 5)) % 7 / 3f - 1;
                }
            }
        }
    }
}
