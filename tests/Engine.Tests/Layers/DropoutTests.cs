using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Numerics;
using ConvNet.Engine.Tests.Threads;
using ConvNet.Engine.Threads;
using Xunit;

namespace ConvNet.Engine.Tests.Layers;

public class DropoutTests
{
    [Fact]
    public void The_mean_is_kept_and_draws_differ_by_sample_step_layer_and_seed()
    {
        float[] first = Dropped(seed: 1, step: 1, sample: 1);
        Assert.InRange(first.Count(value => value == 0) / (double)first.Length, 0.22, 0.28);
        Assert.All(first, value => Assert.True(value == 0 || value == (float)(1 / 0.75)));
        Assert.Equal(first, Dropped(seed: 1, step: 1, sample: 1));
        Assert.NotEqual(first, Dropped(seed: 2, step: 1, sample: 1));
        Assert.NotEqual(first, Dropped(seed: 1, step: 2, sample: 1));
        Assert.NotEqual(first, Dropped(seed: 1, step: 1, sample: 2));
        Assert.NotEqual(first, Dropped(seed: 1, step: 1, sample: 1, layersBefore: 1));
        Assert.Equal(first[5] == 0, Philox.DropoutBlock(1, 1, 0, 1, 1).X1 < 0.25 * 4294967296.0);
    }

    private static float[] Dropped(ulong seed, long step, int sample, int layersBefore = 0)
    {
        using var team = new ThreadTeam(1);
        LayerSpec[] specs = [.. Enumerable.Repeat(new ReLUSpec(), layersBefore), new DropoutSpec { Rate = 0.25 }];
        var shape = new Shape(12, 20, 20);
        LayerSequence layers = new ModelBuilder(BatchNormMode.Sync).Build(specs, "", shape);
        var ones = new Activation(shape, 1);
        Nchw.Store([.. Enumerable.Repeat(1f, shape.Count)], ones);
        var context = new StepContext(team, KernelSet.Fast)
        {
            Training = true,
            Samples = 1,
            Seed = seed,
            Step = step,
            SampleIndices = [sample],
        };
        return Nchw.Read(layers.Forward(ones, context), 1);
    }
}
