using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Runs whose disk takes nothing for a time, in a process of their own and over a silo: they end in the same bits, and lose no row.</summary>
public sealed class FullDiskTests(RunningCluster cluster) : IClassFixture<RunningCluster>
{
    private const int Steps = 250;
    private static readonly string[] Job = ["--model", "lenet", "--steps", $"{Steps}", "--batch", "96", "--workers", "2"];

    /// <summary>The state at the end of a run with which nothing is wrong.</summary>
    private static readonly Lazy<Task<string>> Untroubled = new(async () =>
    {
        using var folder = new TemporaryFolder();
        return (await JobEnd.TrainAsync(folder.Path, [.. Job, "--out", "run"])).StateSha256;
    });

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_disk_that_is_full_or_read_only_for_a_time_costs_a_warning_and_neither_the_run_nor_a_row_of_it(bool isReadOnly, bool isCluster)
    {
        Assert.SkipWhen(isReadOnly && !FullRun.IsAsked, FullRun.Needed);
        Assert.SkipUnless(SmallDisk.CanMount, "needs the right to mount a disk");
        string name = $"{(isReadOnly ? "read-only" : "full")}-{(isCluster ? "silo" : "alone")}";
        using var disk = new SmallDisk(Path.Combine(cluster.Folder, name), 8 << 10);
        string untroubled = await Untroubled.Value;
        using ClientProcess training = ClientProcess.Start(
            cluster.Folder,
            ["train", "--json", .. Job, "--out", disk["run"], "-s", "checkpoint.everySteps=10", .. isCluster ? (string[])["--cluster", cluster.Url] : []]);
        await training.SaysAsync("\"checkpoint.saved\"");
        Stop(disk, isReadOnly);
        await training.SaysAsync("the checkpoint of step ");
        if (!isReadOnly)
        {
            // What the checkpoint has given back goes, too.
            disk.Fill();
            await training.SaysAsync("metrics.csv: cannot be written");
        }

        GoOn(disk, isReadOnly);
        await training.EndAsync(0);

        Assert.Equal(("run.completed", untroubled), (JobEnd.Of(training).Event, JobEnd.Of(training).StateSha256));
        string[] warnings = Warnings(training);
        Assert.Single(warnings, warning => warning.StartsWith("the checkpoint of step ", StringComparison.Ordinal)
            && warning.Contains(isReadOnly ? "Read-only file system" : "No space left on device") && warning.Contains("is kept in "));
        string[] rows = File.ReadAllLines(disk["run/metrics.csv"]);
        Assert.Equal(
            Enumerable.Range(1, Steps), rows.Skip(1).Where(row => row.Contains(",train,")).Select(row => int.Parse(row.Split(',')[0])));
        Assert.Equal(
            [.. training.Output.TrimEnd().Split('\n')], File.ReadAllLines(disk["run/events.jsonl"]));
        if (!isReadOnly)
        {
            Assert.Single(warnings, warning => warning.Contains("metrics.csv: cannot be written: No space left on device"));
        }

        using ClientProcess verified = await ClientProcess.RunAsync(0, cluster.Folder, "checkpoint", "verify", disk["run"]);
    }

    [Fact]
    public async Task A_disk_that_stays_full_ends_the_run_with_code_7_and_resume_goes_on_from_what_is_kept_to_the_same_bits()
    {
        Assert.SkipUnless(SmallDisk.CanMount, "needs the right to mount a disk");
        Assert.SkipUnless(FullRun.IsAsked, "takes more than a minute: set CONVNET_TEST_FULL=1");
        using var disk = new SmallDisk(Path.Combine(cluster.Folder, "stays"), 8 << 10);
        string untroubled = await Untroubled.Value;
        using ClientProcess training = ClientProcess.Start(
            cluster.Folder, ["train", "--json", .. Job, "--out", disk["run"], "-s", "checkpoint.everySteps=10"]);
        await training.SaysAsync("\"checkpoint.saved\"");
        disk.Fill();
        await training.EndAsync(7);
        disk.Free();
        JsonElement last = training.Events[^1];
        Assert.Equal("run.failed", last.GetProperty("event").GetString());
        string error = last.GetProperty("error").GetString()!;
        Assert.Contains("It was tried for 6", error);
        Assert.Contains(" is kept in ", error);
        Assert.Contains(" Go on from step-0", error);

        using ClientProcess resumed = await ClientProcess.RunAsync(0, cluster.Folder, "resume", disk["run"], "--json");
        Assert.Equal(untroubled, JobEnd.Of(resumed).StateSha256);
    }

    private static string[] Warnings(ClientProcess training) =>
        [.. training.Events.Where(line => line.GetProperty("event").GetString() == "warning").Select(line => line.GetProperty("message").GetString()!)];

    private static void Stop(SmallDisk disk, bool isReadOnly)
    {
        if (isReadOnly)
        {
            disk.SetReadOnly(disk["run/checkpoints"], true);
        }
        else
        {
            disk.Fill();
        }
    }

    private static void GoOn(SmallDisk disk, bool isReadOnly)
    {
        if (isReadOnly)
        {
            disk.SetReadOnly(disk["run/checkpoints"], false);
        }
        else
        {
            disk.Free();
        }
    }
}
