using ConvNet.Engine.Errors;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Wire;
using Xunit;

namespace ConvNet.Grains.Tests.Contracts.Wire;

public class BatchNormPayloadTests
{
    /// <summary>Values whose last bits a float would lose, and some that are not numbers.</summary>
    private static readonly double[] Odd = [Math.PI, double.NaN, double.NegativeInfinity, -0.0, double.Epsilon];

    [Fact]
    public void Moments_arrive_with_every_bit()
    {
        Moments[] sent = [new(long.MaxValue, Odd, [1, 2, 3, 4, 5]), new(1, [5, 4, 3, 2, 1], Odd)];

        Moments[] read = BatchNormPayload.ReadMoments(BatchNormPayload.Write(sent), 2);

        Assert.Equal([long.MaxValue, 1], read.Select(root => root.Count));
        Assert.Equal(Bits(sent[0].Mean), Bits(read[0].Mean));
        Assert.Equal(Bits(sent[0].M2), Bits(read[0].M2));
        Assert.Equal(Bits(sent[1].Mean), Bits(read[1].Mean));
        Assert.Equal(Bits(sent[1].M2), Bits(read[1].M2));
    }

    [Fact]
    public void Backward_sums_arrive_with_every_bit()
    {
        BackwardSums read = BatchNormPayload.ReadSums(BatchNormPayload.Write([new BackwardSums(Odd, [1, 2, 3, 4, 5])]), 1)[0];

        Assert.Equal(Bits(Odd), Bits(read.Dy));
        Assert.Equal([1, 2, 3, 4, 5], read.DyXhat);
    }

    [Fact]
    public void What_is_sent_is_a_copy()
    {
        var sums = new BackwardSums([1], [2]);
        TensorBlock block = BatchNormPayload.Write([sums]);
        sums.Dy[0] = 7;

        Assert.Equal(1, BatchNormPayload.ReadSums(block, 1)[0].Dy[0]);
    }

    [Theory]
    [InlineData(6, 0)]
    [InlineData(6, -1)]
    [InlineData(6, 4)]
    [InlineData(7, 1)]
    [InlineData(2, 1)]
    [InlineData(0, 1)]
    public void Floats_that_are_not_so_many_roots_are_refused_with_both_numbers(int floats, int roots)
    {
        var block = new TensorBlock(new float[floats], 0, floats);

        string message = Assert.Throws<ConvNetException>(() => BatchNormPayload.ReadMoments(block, roots)).Message;

        Assert.Contains($"{floats} floats", message);
        Assert.Contains($"{roots} roots", message);
    }

    private static IEnumerable<long> Bits(double[] values) => values.Select(BitConverter.DoubleToInt64Bits);
}
