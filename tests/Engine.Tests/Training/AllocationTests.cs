using System.Text.RegularExpressions;
using Xunit;

namespace ConvNet.Engine.Tests.Training;

public class AllocationTests
{
    /// <summary>In a process of its own, because test hosts, consoles and timers allocate when they like.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Training_and_evaluation_allocate_no_managed_memory_after_the_warm_up(int threads)
    {
        string output = await ChildProcess.RunAsync(
            "ConvNet.Engine.Alone.dll", ["allocations", $"{threads}", "lenet", "fashion-cnn", "resnet20", "vgg11-bn", "every-layer.json"]);
        Assert.Equal(Enumerable.Repeat("0", 10), Regex.Matches(output, @"(\d+) bytes").Select(match => match.Groups[1].Value));
    }
}
