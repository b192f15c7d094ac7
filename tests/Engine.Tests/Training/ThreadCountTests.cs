using ConvNet.Engine.Layers;
using Xunit;

namespace ConvNet.Engine.Tests.Training;

/// <summary>Threads pick up work but don't cut it, so that a whole network trains to the same bits with any number of them.</summary>
public class ThreadCountTests
{
    [Theory]
    [InlineData(BatchNormMode.Sync)]
    [InlineData(BatchNormMode.Shard)]
    public async Task Training_gives_the_same_bits_with_any_number_of_threads(BatchNormMode mode)
    {
        string one = await TrainAsync(1, mode);
        Assert.Equal(64, one.Length);
        Assert.Equal(one, await TrainAsync(3, mode));
    }

    private static async Task<string> TrainAsync(int threads, BatchNormMode mode) =>
        (await ChildProcess.RunAsync("ConvNet.Engine.Alone.dll", ["weights", "every-layer.json", "4", $"{threads}", $"{mode}"])).Split(' ')[0];
}
