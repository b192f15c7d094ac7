using System.Diagnostics;
using ConvNet.Silo.Clustering;
using Xunit;

namespace ConvNet.Client.Tests.Cluster;

public sealed class ShellWordTests
{
    [Theory]
    [InlineData("dev://127.0.0.1:11111", "dev://127.0.0.1:11111")]
    [InlineData("redis://127.0.0.1:6379?id=lab", "\"redis://127.0.0.1:6379?id=lab\"")]
    [InlineData("runs/my run", "\"runs/my run\"")]
    [InlineData("a&b$HOME`x`\\\"'", "\"a&b\\$HOME\\`x\\`\\\\\\\"'\"")]
    [InlineData("", "\"\"")]
    [InlineData("a\n", "\"a\n\"")]
    public void A_shell_reads_a_quoted_word_as_it_was(string word, string quoted)
    {
        using Process shell = Process.Start(new ProcessStartInfo("sh", ["-c", $"printf '[%s]' {quoted}"]) { RedirectStandardOutput = true })!;
        string read = shell.StandardOutput.ReadToEnd();

        Assert.Equal(quoted, ShellWord.Quote(word));
        Assert.Equal($"[{word}]", read);
    }

    [Fact]
    public void The_options_that_mean_a_cluster_can_be_copied_into_a_shell() =>
        Assert.Equal("--cluster \"dev://127.0.0.1:11111?gateway=30001\"", SiloCluster.Parse("dev://127.0.0.1:11111?gateway=30001").Arguments);
}
