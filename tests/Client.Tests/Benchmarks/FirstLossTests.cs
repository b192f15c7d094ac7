using System.Runtime.Versioning;
using ConvNet.Client.Tests.Commands;
using Xunit;

namespace ConvNet.Client.Tests.Benchmarks;

/// <summary>bench/first-loss with programs that only print losses.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class FirstLossTests
{
    [Fact]
    public async Task Equal_losses_make_a_row_for_each_network()
    {
        CommandLineRun run = await RunAsync("print('2.30001 2.3')", "2.30002");

        Assert.Equal("", run.Error);
        Assert.Equal(0, run.ExitCode);
        foreach (string net in (string[])["fashion-cnn", "resnet20", "vgg11-bn", "own"])
        {
            Assert.Contains($"| {net} | 128 | 2.30000000 | 2.30001000 | 2.30002000 | 8.7e-06 |", run.Out);
        }
    }

    [Theory]
    [InlineData("print('2.3 2.3')", "2.3003", "differ")]
    [InlineData("print('2.3 2.3')", "2.2997", "differ")]
    [InlineData("print('2.3 2.3')", "null", "missing")]
    [InlineData("print('2.3 nan')", "2.3", "missing")]
    [InlineData("print('2.3')", "2.3", "missing")]
    [InlineData("", "2.3", "missing")]
    public async Task A_loss_that_differs_or_is_missing_ends_with_code_1(string peer, string engine, string message)
    {
        CommandLineRun run = await RunAsync(peer, engine);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("error: own: ", run.Error);
        Assert.Contains(message, run.Error);
    }

    private static async Task<CommandLineRun> RunAsync(string peer, string engine)
    {
        using var script = new BenchScript("first-loss");
        script.Write("bench/peers/torch/first_loss.py", peer);
        script.Write("convnet", $$"""
            #!/bin/sh
            echo '{"trainImagesPerSecond":1,"evalImagesPerSecond":2,"firstLoss":{{engine}},"peakMemoryBytes":3}'
            """);
        return await script.RunAsync(TestContext.Current.CancellationToken);
    }
}
