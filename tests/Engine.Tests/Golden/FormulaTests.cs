using Xunit;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>The literals were printed by formula.py.</summary>
public sealed class FormulaTests
{
    [Fact]
    public void Bits_are_those_of_the_python_formula()
    {
        uint[] expected = [0xd73d87d9, 0xa1713ed6, 0xd36ee4d8, 0x95069495];
        for (uint i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], Formula.Bits(1, 2, i));
        }

        Assert.Equal(0xa49b5124u, Formula.Bits(4000000000, 16, uint.MaxValue));
    }

    [Fact]
    public void Values_are_bit_equal_to_those_of_the_python_formula()
    {
        Assert.Equal([1036007504u, 1057535302u, 3181912768u], Formula.Values(7, 0, 3).Select(BitConverter.SingleToUInt32Bits));
        Assert.Equal([1065589416u, 1066697111u, 1064940006u], Formula.Values(7, 0, 3, 0.3f, 1f).Select(BitConverter.SingleToUInt32Bits));
    }

    [Fact]
    public void Labels_and_chosen_positions_are_those_of_the_python_formula()
    {
        Assert.Equal([6, 0, 8, 5, 1, 0, 1, 0], Formula.Labels(7, 8, 10));
        Assert.Equal([92445, 65252, 82553, 98894], Formula.Chosen(7, 100000)[..4]);
        Assert.Equal(Enumerable.Range(0, 256), Formula.Chosen(7, 256));
    }
}
