using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Somebody watches a running cluster, in a real terminal and without one.</summary>
public sealed class MonitorTests(RunningCluster cluster) : IClassFixture<RunningCluster>
{
    /// <summary>With the alternate screen left, the cursor shown and the keypad in its usual mode.</summary>
    private const string Restored = "0 1 0";

    private static readonly string[] Lenet = ["--model", "lenet", "--batch", "96", "--workers", "2"];

    [Fact]
    public async Task A_job_is_found_by_keys_watched_by_two_consoles_of_any_size_and_left_alone()
    {
        Assert.SkipUnless(TmuxWindow.IsAvailable, "tmux is not installed");
        await cluster.SubmitAsync("watched", [.. Lenet, "--epochs", "500"]);
        using var small = Monitor(80, 24);
        await small.ShowsAsync(row => row.StartsWith("> watched  running  "));
        Assert.StartsWith($"{cluster.Url}  1 silo  2/2 devices busy", small.Rows[0]);
        Assert.StartsWith("[Jobs]  Workers   Silos", small.Rows[1]);
        Assert.Equal("↑↓ choose  Enter open  Tab pane  q quit", small.Rows[^1]);
        AssertFits(small, 80, 24);

        small.Press("Tab");
        await small.ShowsAsync(row => row.StartsWith("  node-1/1  watched"));
        Assert.Contains(small.Rows, row => row.Contains("images/s  compute  batch norm  push  pull"));
        small.Press("Tab");
        await small.ShowsAsync(row => row.StartsWith("  node-1  127.0.0.1:") && row.Contains(" 2/2  watched"));
        small.Press("BTab", "BTab", "Enter");

        await small.ShowsAsync(row => row.StartsWith("loss  ━ train "));
        await small.ShowsAsync(row => row.StartsWith("accuracy  ━ train "));
        await small.ShowsAsync(row => row.Contains('┤') && row.Any(character => character is > '\u2800' and <= '\u28ff'));
        await small.ShowsAsync(row => row.Contains("└step 0 "));
        Assert.StartsWith("watched  lenet on fashion-mnist-mini", small.Rows[0]);
        Assert.Equal("Esc back  Tab pane  q quit", small.Rows[^1]);
        AssertFits(small, 80, 24);

        using var large = Monitor(200, 50);
        await large.ShowsAsync(row => row.StartsWith("> watched   running "));
        large.Press("Right");
        await large.ShowsAsync(row => row.StartsWith("loss  ━ train ") && row.Contains("accuracy  ━ train "));
        await large.ShowsAsync(row => row.Contains("└step 0 ") && row.LastIndexOf("└step 0 ", StringComparison.Ordinal) > 50);
        await large.ShowsAsync(row => row.StartsWith("  node-1/0      0-1 ") && row.Contains(" %"));
        AssertFits(large, 200, 50);

        small.Resize(40, 10);
        await small.ShowsAsync(row => row.StartsWith("loss ") && row.EndsWith(" left"));
        AssertFits(small, 40, 10);
        small.Press("Escape");
        await small.ShowsAsync(row => row.StartsWith("> watched"));
        small.Press("q");
        await small.ShowsAsync(row => row == "Exit code 0");
        large.Press("C-c");
        await large.ShowsAsync(row => row == "Exit code 130");
        await AssertRestoredAsync(small);
        await AssertRestoredAsync(large);
        Assert.Matches("^(running|evaluating|saving)$", (await cluster.ShowAsync("watched")).GetProperty("state").GetString());
        using ClientProcess cancelled = await cluster.JobAsync(0, "cancel", "watched");
    }

    [Fact]
    public async Task A_pipe_gets_plain_lines_and_the_status_of_the_cluster_is_one_object()
    {
        await cluster.SubmitAsync("piped", [.. Lenet, "--steps", "5"]);
        using ClientProcess ended = await cluster.JobAsync(0, "wait", "piped");
        using ClientProcess once = await ClientProcess.RunAsync(0, cluster.Folder, ["monitor", "--once", "--cluster", cluster.Url]);
        using ClientProcess monitor = ClientProcess.Start(cluster.Folder, ["monitor", "--cluster", cluster.Url]);
        await monitor.SaysAsync("piped  lenet on fashion-mnist-mini  completed  step 5/5");
        monitor.Terminate();
        await monitor.EndAsync(143);
        using ClientProcess json = await ClientProcess.RunAsync(0, cluster.Folder, ["cluster", "status", "--json", "--cluster", cluster.Url]);
        using ClientProcess table = await ClientProcess.RunAsync(0, cluster.Folder, ["cluster", "status", "--cluster", cluster.Url]);

        Assert.Contains("piped  lenet on fashion-mnist-mini  completed  step 5/5", once.Output);
        Assert.DoesNotContain('\e', once.Output + monitor.Output);
        JsonElement status = Assert.Single(json.Events);
        JsonElement silo = Assert.Single(status.GetProperty("silos").EnumerateArray());
        Assert.Equal(("node-1", 2), (silo.GetProperty("name").GetString(), silo.GetProperty("devices").GetInt32()));
        Assert.Equal(["worker", "server"], silo.GetProperty("roles").EnumerateArray().Select(role => role.GetString()));
        Assert.StartsWith("127.0.0.1:", silo.GetProperty("address").GetString());
        Assert.StartsWith("0.1.0", silo.GetProperty("version").GetString());
        Assert.InRange(silo.GetProperty("since").GetDateTime(), DateTime.UtcNow.AddHours(-1), DateTime.UtcNow);
        Assert.Contains(
            status.GetProperty("jobs").EnumerateArray(),
            job => job.GetProperty("jobId").GetString() == "piped" && job.GetProperty("state").GetString() == "completed");
        Assert.Contains("  node-1   127.0.0.1:", table.Output);
        Assert.Contains("  piped ", table.Output);
    }

    [Fact]
    public async Task A_cluster_that_does_not_answer_is_code_4_and_a_sentence()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        int[] ports = FreePorts.Take(2);
        string url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";

        using ClientProcess status = await ClientProcess.RunAsync(4, cluster.Folder, ["cluster", "status", "--cluster", url]);

        Assert.StartsWith($"error: no silo answers at {url}", status.Error);
    }

    private TmuxWindow Monitor(int columns, int rows) => new(cluster.Folder, columns, rows, "monitor", "--cluster", cluster.Url);

    /// <summary>Every row of the window is one of the picture's: nothing is broken, and nothing has scrolled away.</summary>
    private static void AssertFits(TmuxWindow window, int columns, int rows)
    {
        string[] shown = window.Rows;
        Assert.Equal(rows, shown.Length);
        Assert.All(shown, row => Assert.InRange(row.Length, 0, columns - 1));
        Assert.EndsWith("q quit", shown[^1]);
        Assert.StartsWith("1 0 ", window.Modes);
    }

    private static async Task AssertRestoredAsync(TmuxWindow window)
    {
        await window.ShowsAsync(row => row == "echo");
        Assert.Equal(Restored, window.Modes);
        Assert.Contains("icanon", window.Rows);
        Assert.DoesNotContain(window.Rows, row => row.Contains("train"));
    }
}
