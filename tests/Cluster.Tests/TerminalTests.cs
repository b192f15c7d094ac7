using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>What a person sees in a real terminal.</summary>
public sealed class TerminalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_run_with_many_workers_keeps_its_lines_and_its_bar_apart_and_follows_the_size_of_the_window()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        Assert.SkipUnless(TmuxWindow.IsAvailable, "tmux is not installed");
        using var window = new TmuxWindow(
            _folder.Path, 80, 24, "train", "--model", "lenet", "--batch", "4000", "--epochs", "5", "--workers", "20", "--data-shards", "20", "--out", "r");

        await window.ShowsAsync(row => row.StartsWith("epoch 2/5  step 6  "));
        AssertWhole(window.History);
        await window.ShowsAsync(row => row.StartsWith("  … and 11 more workers  at step "));

        window.Resize(60, 20);
        await window.ShowsAsync(row => row.StartsWith("epoch 4/5  "));
        AssertWhole(window.Rows);

        window.Resize(120, 50);
        await window.ShowsAsync(row => row == "Ended");
        AssertWhole(window.Rows, mayHaveEnded: true);
        Assert.Contains(window.Rows, row => row.StartsWith("  local-1/19 "));
    }

    /// <summary>One bar, one line of numbers, and nothing that follows them in their row.</summary>
    /// <param name="mayHaveEnded">A run that has ended has no time left.</param>
    private static void AssertWhole(string[] rows, bool mayHaveEnded = false)
    {
        string bar = Assert.Single(rows, row => row.Contains('━'));
        Assert.Matches(@"^━+ +\d+ %  step +\d+/15(  epoch \d/5)?(  \w+)?$", bar);
        string numbers = Assert.Single(rows, row => row.StartsWith("loss "));
        Assert.Matches(mayHaveEnded ? @"( left|  learning rate [0-9.e-]+)$" : " left$", numbers);
        Assert.All(rows.Where(row => row.Contains("test accuracy 0.")), row => Assert.Matches(@"test accuracy 0\.\d{4}(  \d+ images/s)?$", row));
    }
}
