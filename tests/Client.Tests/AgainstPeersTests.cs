using System.Diagnostics;
using System.Runtime.Versioning;
using Xunit;

namespace ConvNet.Client.Tests;

/// <summary>bench/against-peers with programs that only print figures.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class AgainstPeersTests
{
    private const string Ours =
        """
        #!/bin/sh
        case "$*" in
          *own.json*) echo '{"trainImagesPerSecond":30,"evalImagesPerSecond":90,"firstLoss":2.3,"peakMemoryBytes":104857600}' ;;
          *) echo '{"trainImagesPerSecond":900,"evalImagesPerSecond":3000,"firstLoss":2.3,"peakMemoryBytes":209715200}' ;;
        esac
        """;

    private const string Libtorch =
        """
        #!/bin/sh
        echo "libtorch 2.10.0.0 $1 params=1 threads=$2 batch=$4 train images/s median=300.0 best=310.0 peakMiB=400.0"
        echo "libtorch 2.10.0.0 $1 params=1 threads=$2 batch=$4 eval images/s median=1000.0 best=1100.0 peakMiB=500.0"
        """;

    private const string Torch =
        """
        import sys
        for last, rate in ((False, 200), (True, 450)):
            print(f"torch 1.13 {sys.argv[1]} threads={sys.argv[2]} channels_last={last} train images/s median={rate}.0 best=500.0")
        """;

    [Fact]
    public async Task Ratios_are_of_the_medians_and_the_mean_leaves_the_own_network_out()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "convnet", Ours);
        Write(folder, "bench/peers/libtorch/run.sh", Libtorch);
        Write(folder, "bench/peers/torch/train.py", Torch);
        Write(folder, "torch.py", "");
        Write(folder, "bench/against-peers", await File.ReadAllTextAsync(
            Path.Combine(AppContext.BaseDirectory, "bench", "against-peers"), TestContext.Current.CancellationToken));

        string output = await RunAsync(folder, "--quick", "--nets", "fashion-cnn", "own");

        string[] rows = [.. output.Split('\n').Where(line => line.StartsWith('|'))];
        Assert.Contains("| net | ours, 1 thread(s) | libtorch | ratio | ours, 2 thread(s) | libtorch | ratio |", rows);
        Assert.Contains("| fashion-cnn, batch 128 | 900 | 300 | 3.00 | 900 | 300 | 3.00 |", rows);
        Assert.Contains("| own, batch 37 | 30.0 | 300 | 0.10 | 30.0 | 300 | 0.10 |", rows);
        Assert.Contains("| geometric mean of the reference networks |  |  | **3.00** |  |  | **3.00** |", rows);
        Assert.Contains(
            "| fashion-cnn, batch 128 | 900 | 450 (PyTorch, channels_last) | 2.00 | 900 | 450 (PyTorch, channels_last) | 2.00 |", rows);
        Assert.Contains("| fashion-cnn, batch 128 | 3000 | 1000 | 3.00 | 3000 | 1000 | 3.00 |", rows);
        Assert.Contains("| fashion-cnn, batch 128 | 200 | 400 | 0.50 | 200 | 400 | 0.50 |", rows);
        Assert.Contains("| fashion-cnn, batch 128 | 2 | PyTorch, plain | 200 |", rows);
    }

    private static void Write(TemporaryFolder folder, string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder.File(name))!);
        File.SetUnixFileMode(folder.Write(name, text), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static async Task<string> RunAsync(TemporaryFolder folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(folder.File("bench/against-peers"), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PYTHONPATH"] = folder.Path;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, error);
        return await output;
    }
}
