using System.Runtime.Intrinsics;
using ConvNet.Engine.Kernels;
using Xunit;

namespace ConvNet.Engine.Tests.Training;

/// <summary>
/// Processors with vectors of any width compute the same: the wide kernels form the sums of the narrow ones in the same order, vectors that
/// the processor lacks are made of smaller ones, and a fused multiply-add is still rounded once, in software.
/// </summary>
public class InstructionSetTests
{
    private const string EveryLayer = "every-layer.json";
    private const string EveryConvolution = "every-convolution.json";

    private static readonly (string, string)[] SwitchedOff = [("DOTNET_EnableAVX2", "0"), ("DOTNET_EnableFMA", "0")];
    private static readonly (string, string) WithoutAvx512 = ("DOTNET_EnableAVX512", "0");
    private static readonly (string, string) Wide = (VectorWidth.Variable, "512");
    private static readonly (string, string) Narrow = (VectorWidth.Variable, "256");
    private static readonly (string, string) NotForced = (VectorWidth.Variable, "");

    private static string HalfBits => Vector256.IsHardwareAccelerated ? "256" : "128";

    [Theory]
    [InlineData("lenet", 3)]
    [InlineData(EveryLayer, 3)]
    [InlineData(EveryConvolution, 2)]
    public async Task Training_gives_the_same_bits_without_AVX2_and_FMA(string model, int steps)
    {
        string[] with = await TrainAsync(model, steps);
        Assert.Equal(64, with[0].Length);
        Assert.Equal([with[0], "narrow", "128"], await TrainAsync(model, steps, [.. SwitchedOff, NotForced]));
        Assert.Equal([with[0], "wide", "128"], await TrainAsync(model, steps, [.. SwitchedOff, Wide]));
        Assert.NotEqual(with[0], (await TrainAsync(model, steps - 1))[0]);
    }

    [Theory]
    [InlineData("lenet")]
    [InlineData("fashion-cnn")]
    [InlineData("resnet20")]
    [InlineData("vgg11-bn")]
    [InlineData(EveryLayer)]
    [InlineData(EveryConvolution)]
    public async Task Training_gives_the_same_bits_on_vectors_of_512_and_of_256_bits(string model)
    {
        const int Steps = 20;
        bool has512 = Vector512.IsHardwareAccelerated;
        string[] chosen = await TrainAsync(model, Steps, NotForced);
        Assert.Equal([has512 ? "wide" : "narrow", has512 ? "512" : HalfBits], chosen[1..]);
        Assert.Equal([chosen[0], "narrow", HalfBits], await TrainAsync(model, Steps, WithoutAvx512, NotForced));
        Assert.Equal([chosen[0], "wide", has512 ? "512" : HalfBits], await TrainAsync(model, Steps, Wide));
    }

    [Fact]
    public async Task Either_source_runs_where_it_is_forced()
    {
        string[] narrow = await TrainAsync(EveryConvolution, 2, Narrow);
        Assert.Equal(["narrow", HalfBits], narrow[1..]);
        Assert.Equal([narrow[0], "wide", HalfBits], await TrainAsync(EveryConvolution, 2, WithoutAvx512, Wide));
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

    /// <returns>The hash of the weights, the source that ran and the bits of its vectors.</returns>
    private static async Task<string[]> TrainAsync(string model, int steps, params (string, string)[] environment) =>
        (await ChildProcess.RunAsync("ConvNet.Engine.Alone.dll", ["weights", model, $"{steps}", "1", "Sync"], environment)).Trim().Split(' ');
}
