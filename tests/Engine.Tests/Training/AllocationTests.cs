using System.Text.RegularExpressions;
using Xunit;

namespace ConvNet.Engine.Tests.Training;

public class AllocationTests
{
    /// <summary>In a process of its own, because test hosts, consoles and timers allocate when they like.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Training_steps_allocate_no_managed_memory_after_the_warm_up(int threads)
    {
        string output = await ChildProcess.RunAsync(
            "ConvNet.Engine.Alone.dll", ["allocations", $"{threads}", "lenet", "fashion-cnn", "resnet20", "vgg11-bn", "every-layer.json"]);
        Assert.Equal(["0", "0", "0", "0", "0"], Regex.Matches(output, @"^(\d+) bytes", RegexOptions.Multiline).Select(line => line.Groups[1].Value));
    }
}
