using System.Runtime.Versioning;
using ConvNet.Client.Tests.Commands;
using Xunit;

namespace ConvNet.Client.Tests.Benchmarks;

/// <summary>bench/against-peers with programs that only print figures.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class AgainstPeersTests
{
    private const string Ours =
        """
        #!/bin/sh
        case "$*" in
          *own.json*) echo '{"trainImagesPerSecond":30,"evalImagesPerSecond":90,"firstLoss":2.3,"peakMemoryBytes":104857600,"vectorBits":256}' ;;
          *) echo '{"trainImagesPerSecond":900,"evalImagesPerSecond":3000,"firstLoss":2.3,"peakMemoryBytes":209715200,"vectorBits":256}' ;;
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

    private const string Onnx =
        """
        #!/bin/sh
        echo "onnxruntime 1.31.1 $1 threads=$2 batch=$4 eval images/s median=2000.0 best=2100.0"
        """;

    [Fact]
    public async Task Ratios_are_of_the_medians_and_the_mean_leaves_the_own_network_out()
    {
        using BenchScript script = Script(Libtorch, Torch);

        CommandLineRun run = await script.RunAsync(
            TestContext.Current.CancellationToken, "--quick", "--nets", "own", "fashion-cnn");

        Assert.True(run.ExitCode == 0, run.Error);
        string[] rows = [.. run.Out.Split('\n').Where(line => line.StartsWith('|'))];
        Assert.Contains("| net | ours, 1 thread(s) | libtorch | ratio | ours, 2 thread(s) | libtorch | ratio |", rows);
        Assert.Contains("| fashion-cnn, batch 128 | 900 | 300 | 3.00 | 900 | 300 | 3.00 |", rows);
        Assert.Contains("| own, batch 37 | 30.0 | 300 | 0.10 | 30.0 | 300 | 0.10 |", rows);
        Assert.Contains("| geometric mean of the reference networks |  |  | **3.00** |  |  | **3.00** |", rows);
        Assert.Contains(
            "| fashion-cnn, batch 128 | 900 | 450 (PyTorch, channels_last) | 2.00 | 900 | 450 (PyTorch, channels_last) | 2.00 |", rows);
        Assert.Contains("| fashion-cnn, batch 128 | 3000 | 1000 | 3.00 | 3000 | 1000 | 3.00 |", rows);
        Assert.Contains("| net | ours, 1 thread(s) | ONNX Runtime | ratio | ours, 2 thread(s) | ONNX Runtime | ratio |", rows);
        Assert.Contains("| fashion-cnn, batch 128 | 3000 | 2000 | 1.50 | 3000 | 2000 | 1.50 |", rows);
        Assert.Contains("| fashion-cnn, batch 128 | 1 | ONNX Runtime 1.31.1 | 2000 |", rows);
        Assert.Contains("| fashion-cnn, batch 128 | 200 | 400 | 0.50 | 200 | 400 | 0.50 |", rows);
        Assert.Contains("| fashion-cnn, batch 128 | 2 | PyTorch, plain | 200 |", rows);
        int mean = Array.FindIndex(rows, row => row.StartsWith("| geometric mean"));
        Assert.StartsWith("| fashion-cnn", rows[mean - 1]);
        Assert.StartsWith("| own", rows[mean + 1]);
    }

    [Fact]
    public async Task A_saved_result_says_with_which_arguments_it_was_made()
    {
        using BenchScript script = Script(Libtorch, Torch);
        script.Write("bench/processor", "#!/bin/sh\necho some-processor\n");
        script.Write("programs/git", "#!/bin/sh\n[ \"$1\" = status ] || echo abc1234\n");
        script.Write("programs/dotnet", "#!/bin/sh\necho 10.0.401\n");

        CommandLineRun run = await script.RunAsync(
            TestContext.Current.CancellationToken, "1", "--quick", "--nets", "resnet20", "--save");

        Assert.True(run.ExitCode == 0, run.Error);
        string saved = script.Read("bench/results/some-processor/against-peers.md");
        Assert.Contains("`bench/against-peers 1 --quick --nets resnet20 --save` at commit abc1234, ", saved);
        Assert.Contains("Our kernels ran on vectors of 256 bits.", saved);
    }

    [Theory]
    [InlineData(true, "eval images/s median=1000.0", "evaluation is broken", "train, eval")]
    [InlineData(true, "train images/s median=300.0", "train images/s median=nan", "train, eval")]
    [InlineData(false, "median={rate}.0", "is slow today", "False, True")]
    public async Task A_peer_without_its_figures_ends_the_comparison_with_what_it_printed(
        bool ofLibtorch, string figures, string instead, string expected)
    {
        string Broken(string program) => program.Replace(figures, instead);
        using BenchScript script = Script(ofLibtorch ? Broken(Libtorch) : Libtorch, ofLibtorch ? Torch : Broken(Torch));

        CommandLineRun run = await script.RunAsync(TestContext.Current.CancellationToken, "--quick", "--nets", "resnet20");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"each of {expected}, but printed:", run.Error);
        Assert.Contains(instead, run.Error);
        Assert.DoesNotContain("Traceback", run.Error);
    }

    private static BenchScript Script(string libtorch, string torch)
    {
        var script = new BenchScript("against-peers");
        script.Write("convnet", Ours);
        script.Write("bench/peers/libtorch/run.sh", libtorch);
        script.Write("bench/peers/torch/train.py", torch);
        script.Write("bench/peers/onnxruntime/run.sh", Onnx);
        script.Write("torch.py", "");
        return script;
    }
}
