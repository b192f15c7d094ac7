using System.Runtime.Intrinsics;
using ConvNet.Engine.Kernels;
using Xunit;

namespace ConvNet.Engine.Tests.Kernels;

/// <summary>
/// Passes over one value after the other give the same bits with the wide source and with the narrow one, whatever vectors the processor has.
/// Each way runs in a process of its own, as the choice is made once.
/// </summary>
public sealed class PassWidthTests
{
    private static readonly (string, string) Without512 = ("DOTNET_EnableAVX512", "0");

    [Theory]
    [InlineData("normalization")]
    [InlineData("pooling")]
    [InlineData("sums")]
    [InlineData("optimizers")]
    public async Task Every_width_gives_the_same_bits(string part)
    {
        string[] native = await RunAsync(part);
        string[] wide = await RunAsync(part, (VectorWidth.Variable, "512"));
        string[] narrow = await RunAsync(part, (VectorWidth.Variable, "256"), Without512);
        string[] halves = await RunAsync(part, (VectorWidth.Variable, "512"), Without512);
        string[] plain = await RunAsync(part, ("DOTNET_EnableAVX2", "0"), ("DOTNET_EnableFMA", "0"));

        Assert.Equal(64, native[0].Length);
        Assert.All([wide, narrow, halves, plain], way => Assert.Equal(native[0], way[0]));
        string bits = Vector256.IsHardwareAccelerated ? "256" : "128";
        Assert.Equal([Vector512.IsHardwareAccelerated ? "512" : bits, "wide"], wide[1..]);
        Assert.Equal([bits, "narrow"], narrow[1..]);
        Assert.Equal([bits, "wide"], halves[1..]);
        Assert.Equal(["128", "narrow"], plain[1..]);
    }

    private static async Task<string[]> RunAsync(string part, params (string, string)[] environment) =>
        (await ChildProcess.RunAsync("ConvNet.Engine.Alone.dll", ["passes", part], environment)).Trim().Split(' ');
}
