using System.Security.Cryptography;
using System.Text;
using ConvNet.Engine.Formats;
using Xunit;

namespace ConvNet.Engine.Tests.Formats;

public class StateHashTests
{
    private static readonly NamedTensor A = new("0.weight", [2], new float[] { 1, 2 });
    private static readonly NamedTensor B = new("0.bias", [1], new float[] { 3 });
    private static readonly NamedTensor M = new("momentum.0.bias", [1], new float[] { 4 });

    [Fact]
    public void The_hash_covers_names_data_and_step_in_ordinal_order()
    {
        byte[] bytes =
        [
            .. Encoding.UTF8.GetBytes("0.bias\0"), 0, 0, 0x40, 0x40,
            .. Encoding.UTF8.GetBytes("0.weight\0"), 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40,
            .. Encoding.UTF8.GetBytes("momentum.0.bias\0"), 0, 0, 0x80, 0x40,
            0x39, 0x30, 0, 0, 0, 0, 0, 0,
        ];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), StateHash.State([A, B], [M], 12345));
    }

    [Fact]
    public void Order_does_not_matter_but_every_bit_does()
    {
        string hash = StateHash.State([A, B], [M], 1);
        Assert.Equal(hash, StateHash.State([B, A], [M], 1));
        Assert.NotEqual(hash, StateHash.State([A, B], [M], 2));
        Assert.NotEqual(hash, StateHash.State([A with { Data = new float[] { 1, MathF.BitIncrement(2) } }, B], [M], 1));
        Assert.NotEqual(hash, StateHash.State([A with { Name = "1.weight" }, B], [M], 1));
        Assert.NotEqual(hash, StateHash.Weights([A, B], 1));
        Assert.Equal(StateHash.State([A, B], [], 1), StateHash.Weights([A, B], 1));
    }
}
