using ConvNet.Engine.Geometry;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using Xunit;

namespace ConvNet.Engine.Tests.Kernels.Convolution;

public sealed class ConvolutionDeterminismTests
{
    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Geometries.Length)];

    internal static ConvolutionGeometry[] Geometries { get; } =
    [
        ConvolutionCase.Square(16, 40, 9, 3, padding: 1),
        ConvolutionCase.Square(40, 24, 2, 3, padding: 1),
        ConvolutionCase.Square(24, 40, 7, 5, padding: 2),
        ConvolutionCase.Square(136, 150, 4, 3, padding: 1),
        ConvolutionCase.Square(72, 264, 6, 3, padding: 1),
        ConvolutionCase.Square(19, 9, 8, 3, 2, 1),
        ConvolutionCase.Square(8, 16, 20, 3, padding: 1),
        ConvolutionCase.Square(24, 24, 3, 3, padding: 1, groups: 24),
        ConvolutionCase.Square(12, 24, 2, 1, groups: 2),
        ConvolutionGeometry.FullyConnected(100, 10),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Any_number_of_threads_gives_the_same_bits(int index)
    {
        using var one = new ThreadTeam(1);
        using var three = new ThreadTeam(3);
        using var a = new ConvolutionCase(Geometries[index], 13);
        using var b = new ConvolutionCase(Geometries[index], 13);
        a.Run(one);
        b.Run(three);
        AssertSameBits(a.Y, 0, b.Y, 0, 13);
        AssertSameBits(a.DX, 0, b.DX, 0, 13);
        AssertSameBits(a.DWeight[0], b.DWeight[0]);
        AssertSameBits(a.DBias[0], b.DBias[0]);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_shard_has_the_same_bits_alone_as_among_others(int index)
    {
        var tree = new ShardTree(13, 4);
        using var team = new ThreadTeam(1);
        using var all = new ConvolutionCase(Geometries[index], 13);
        all.Run(team, new ShardPlan(tree, 1, 4));
        var alone = new ShardPlan(tree, 1, 2);
        using var part = new ConvolutionCase(Geometries[index], alone.Samples);
        part.Run(team, alone);
        AssertSameBits(part.DWeight[0], all.DWeight[0]);
        AssertSameBits(part.DBias[0], all.DBias[0]);
        AssertSameBits(part.Y, 0, all.Y, 0, alone.Samples);
        AssertSameBits(part.DX, 0, all.DX, 0, alone.Samples);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_sample_has_the_same_bits_alone_as_in_a_batch(int index)
    {
        using var team = new ThreadTeam(1);
        using var all = new ConvolutionCase(Geometries[index], 13);
        using var single = new ConvolutionCase(Geometries[index], 1);
        all.X.SampleSpan(10).CopyTo(single.X.SampleSpan(0));
        all.DY.SampleSpan(10).CopyTo(single.DY.SampleSpan(0));
        all.Run(team);
        single.Run(team);
        AssertSameBits(single.Y, 0, all.Y, 10, 1);
        AssertSameBits(single.DX, 0, all.DX, 10, 1);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_root_is_the_tree_of_its_shards(int index)
    {
        var tree = new ShardTree(13, 3);
        using var team = new ThreadTeam(1);
        using var test = new ConvolutionCase(Geometries[index], 13);
        test.Run(team, new ShardPlan(tree, 0, 3));
        float[] root = test.DWeight[0];
        float[][] leaves = [.. Enumerable.Range(0, 3).Select(shard => Leaf(Geometries[index], test, tree, shard, team))];
        AssertSameBits([.. root.Select((_, i) => leaves[0][i] + leaves[1][i] + leaves[2][i])], root);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_run_allocates_nothing(int index)
    {
        using var team = new ThreadTeam(1);
        using var test = new ConvolutionCase(Geometries[index], 13);
        var plan = new ShardPlan(new ShardTree(13, 4), 0, 4);
        test.Run(team, plan);
        Func<int, float[]> weights = root => test.DWeight[root];
        Func<int, float[]> bias = root => test.DBias[root];

        // What a run allocates it allocates each time; what the runtime allocates on this thread while it compiles and loads types, it allocates once.
        long least = long.MaxValue;
        for (int run = 0; run < 10 && least > 0; run++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            test.Convolution.Load(test.Weights, test.Bias, team);
            test.Convolution.Forward(test.X, test.Y, 13, team);
            test.Convolution.BackwardData(test.DY, test.DX, 13, team);
            test.Convolution.BackwardWeights(test.X, test.DY, plan, weights, bias, team);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    private static float[] Leaf(ConvolutionGeometry geometry, ConvolutionCase whole, ShardTree tree, int shard, ThreadTeam team)
    {
        var plan = new ShardPlan(tree, shard, shard + 1);
        using var part = new ConvolutionCase(geometry, plan.Samples);
        for (int n = 0; n < plan.Samples; n++)
        {
            whole.X.SampleSpan(plan.FirstBatchPosition + n).CopyTo(part.X.SampleSpan(n));
            whole.DY.SampleSpan(plan.FirstBatchPosition + n).CopyTo(part.DY.SampleSpan(n));
        }

        part.Run(team, plan);
        return part.DWeight[0];
    }

    internal static void AssertSameBits(Activation expected, int n, Activation actual, int m, int samples)
    {
        for (int i = 0; i < samples; i++)
        {
            AssertSameBits(expected.SampleSpan(n + i).ToArray(), actual.SampleSpan(m + i).ToArray());
        }
    }

    internal static void AssertSameBits(float[] expected, float[] actual) =>
        Assert.Equal(expected.Select(BitConverter.SingleToUInt32Bits), actual.Select(BitConverter.SingleToUInt32Bits));
}
