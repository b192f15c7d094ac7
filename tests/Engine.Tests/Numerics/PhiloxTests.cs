using ConvNet.Engine.Numerics;
using Xunit;

namespace ConvNet.Engine.Tests.Numerics;

public class PhiloxTests
{
    [Fact]
    public void Block_gives_the_published_test_vectors()
    {
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), Philox.Block(0, 0, 0, 0, 0, 0));
        const uint Ones = uint.MaxValue;
        Assert.Equal((0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu), Philox.Block(Ones, Ones, Ones, Ones, Ones, Ones));
        Assert.Equal(
            (0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u),
            Philox.Block(0xa4093822, 0x299f31d0, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344));
    }

    [Fact]
    public void Streams_of_other_seeds_purposes_and_keys_differ()
    {
        var seen = new HashSet<(uint, uint)>();
        foreach (ulong seed in new ulong[] { 1, 2, 1UL << 32 })
        {
            foreach (Purpose purpose in Enum.GetValues<Purpose>())
            {
                for (uint a = 0; a < 3; a++)
                {
                    for (uint b = 0; b < 3; b++)
                    {
                        PhiloxStream stream = Philox.Stream(seed, purpose, a, b);
                        Assert.True(seen.Add((stream.NextUInt(), stream.NextUInt())));
                    }
                }
            }
        }
    }

    [Fact]
    public void A_stream_continues_past_its_first_block()
    {
        PhiloxStream stream = Philox.Stream(7, Purpose.Shuffle, 0, 3);
        var numbers = new HashSet<uint>();
        for (int i = 0; i < 1000; i++)
        {
            numbers.Add(stream.NextUInt());
        }

        Assert.Equal(1000, numbers.Count);
    }

    [Fact]
    public void Dropout_numbers_differ_by_step_layer_sample_and_block()
    {
        Assert.Equal(Philox.DropoutBlock(5, 17, 3, 42, 0), Philox.DropoutBlock(5, 17, 3, 42, 0));
        Assert.NotEqual(Philox.DropoutBlock(5, 17, 3, 42, 0), Philox.DropoutBlock(5, 18, 3, 42, 0));
        Assert.NotEqual(Philox.DropoutBlock(5, 17, 3, 42, 0), Philox.DropoutBlock(5, 17, 4, 42, 0));
        Assert.NotEqual(Philox.DropoutBlock(5, 17, 3, 42, 0), Philox.DropoutBlock(5, 17, 3, 43, 0));
        Assert.NotEqual(Philox.DropoutBlock(5, 17, 3, 42, 0), Philox.DropoutBlock(5, 17, 3, 42, 1));
        Assert.Throws<OverflowException>(() => Philox.DropoutBlock(5, 1L << 32, 3, 42, 0));
        Assert.Throws<OverflowException>(() => Philox.DropoutBlock(5, 1, 1 << 28, 42, 0));
    }

    [Fact]
    public void Numbers_below_n_are_even_and_in_range()
    {
        PhiloxStream stream = Philox.Stream(1, Purpose.Shuffle, 0, 0);
        int[] counts = new int[7];
        for (int i = 0; i < 70000; i++)
        {
            counts[stream.NextBelow(7)]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 9500, 10500));
        Assert.Throws<ArgumentOutOfRangeException>(() => Philox.Stream(1, Purpose.Shuffle, 0, 0).NextBelow(0));
    }

    [Fact]
    public void Floats_and_normal_values_have_their_moments()
    {
        PhiloxStream stream = Philox.Initialization(1, 2, 0);
        double sum = 0, gaussSum = 0, gaussSquares = 0, gaussFourths = 0;
        const int Count = 50000;
        for (int i = 0; i < Count; i++)
        {
            float x = stream.NextFloat();
            Assert.InRange(x, 0f, 0.99999999f);
            sum += x;
            (double a, double b) = stream.NextGaussian();
            gaussSum += a + b;
            gaussSquares += (a * a) + (b * b);
            gaussFourths += (a * a * a * a) + (b * b * b * b);
        }

        Assert.Equal(0.5, sum / Count, 0.01);
        Assert.Equal(0, gaussSum / (2 * Count), 0.02);
        Assert.Equal(1, gaussSquares / (2 * Count), 0.02);
        Assert.Equal(3, gaussFourths / (2 * Count), 0.15);
    }
}
