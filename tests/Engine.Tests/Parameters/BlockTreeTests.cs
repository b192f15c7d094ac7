using ConvNet.Engine.Parameters;
using Xunit;

namespace ConvNet.Engine.Tests.Parameters;

public class BlockTreeTests
{
    [Fact]
    public void Values_are_added_in_pairs_and_pairs_of_pairs()
    {
        double[] v = [1e16, 1, -1e16, 3, 5.5];

        Assert.Equal(((v[0] + v[1]) + (v[2] + v[3])) + v[4], BlockTree.Sum(v));
        Assert.NotEqual(v.Sum(), BlockTree.Sum(v));
        Assert.Equal(0, BlockTree.Sum([]));
    }

    [Fact]
    public void Square_sum_is_that_of_a_double_loop_also_for_odd_lengths()
    {
        float[] values = [.. Enumerable.Range(0, 1021).Select(i => (i % 37 - 18) / 7f)];

        Assert.Equal(values.Sum(x => (double)x * x), BlockTree.SquareSum(values), 1e-9);
    }

    [Fact]
    public void Square_sum_is_finite_exactly_if_every_value_is()
    {
        var values = new float[1024];
        Array.Fill(values, float.MaxValue);
        Assert.True(double.IsFinite(BlockTree.SquareSum(values)));
        values[700] = float.NegativeInfinity;
        Assert.False(double.IsFinite(BlockTree.SquareSum(values)));
        values[700] = float.NaN;
        Assert.False(double.IsFinite(BlockTree.SquareSum(values)));
    }

    [Fact]
    public void Tensors_are_summed_over_their_own_blocks_in_order_of_offset()
    {
        var layout = new ParameterLayout([Tensor("a", 3000), Tensor("b", 10)]);
        double[] blocks = [.. layout.Blocks.Select(block => block.Tensor * 100.0 + block.Offset / 1024)];

        Assert.Equal([0 + 1 + 2, 100], BlockTree.SumByTensor(layout, blocks));
    }

    private static Parameter Tensor(string name, int count) => new(name, [count], ParameterRole.Weight, 0, 0, 1, 1);
}
