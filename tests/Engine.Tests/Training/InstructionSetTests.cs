using System.Runtime.Intrinsics.X86;
using Xunit;

namespace ConvNet.Engine.Tests.Training;

/// <summary>
/// Processors without AVX2 and FMA compute the same: vectors of 8 lanes are then made of smaller ones, and a fused multiply-add is
/// still rounded once, in software.
/// </summary>
public class InstructionSetTests
{
    private const string EveryLayer = "every-layer.json";

    private static readonly (string, string)[] SwitchedOff = [("DOTNET_EnableAVX2", "0"), ("DOTNET_EnableFMA", "0")];

    [Theory]
    [InlineData("lenet", 3)]
    [InlineData(EveryLayer, 3)]
    public async Task Training_gives_the_same_bits_without_AVX2_and_FMA(string model, int steps)
    {
        string[] with = await TrainAsync(model, steps);
        string[] without = await TrainAsync(model, steps, SwitchedOff);
        Assert.Equal(64, with[0].Length);
        Assert.Equal(with[0], without[0]);
        Assert.Equal(Avx2.IsSupported ? "with" : "without", with[1]);
        Assert.Equal("without", without[1]);
        Assert.NotEqual(with[0], (await TrainAsync(model, steps - 1))[0]);
    }

    [Fact]
    public async Task Layers_agree_with_PyTorch_without_AVX2_and_FMA()
    {
        string output = await ChildProcess.RunAsync(
            $"{typeof(InstructionSetTests).Assembly.GetName().Name}.dll",
            ["-class", typeof(Golden.LayerGoldenTests).FullName!, "-noColor"],
            SwitchedOff);
        Assert.Matches(@"Total: [1-9]\d\d, Errors: 0, Failed: 0, Skipped: 0", output);
    }

    /// <returns>The hash of the weights first, then what the process says of its processor.</returns>
    private static async Task<string[]> TrainAsync(string model, int steps, params (string, string)[] environment) =>
        (await ChildProcess.RunAsync("ConvNet.Engine.Alone.dll", ["weights", model, $"{steps}", "1", "Sync"], environment)).Split(' ');
}
