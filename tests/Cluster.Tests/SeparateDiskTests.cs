using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Jobs whose client and silo share no disk.</summary>
public sealed class SeparateDiskTests(SeparateDisks disks) : IClassFixture<SeparateDisks>
{
    private static readonly string[] Lenet = ["--model", "lenet", "--batch", "96", "--workers", "2"];

    [Fact]
    public async Task A_run_has_its_checkpoints_in_its_own_folder_and_ends_in_the_bits_of_one_process_also_after_a_stop()
    {
        disks.Demand();
        string[] job = [.. Lenet, "--steps", "60", "-s", "checkpoint.everySteps=10", "-s", "checkpoint.keep=3"];
        JobEnd alone = await JobEnd.TrainAsync(disks.Folder, [.. Lenet, "--steps", "60", "--out", "alone"]);
        using ClientProcess stopped = await disks.RunAsync(0, ["train", .. job, "--out", "run", "--job", "first", "--stop-after", "40"]);
        string[] ofFirst = SeparateDisks.CheckpointsIn(Path.Combine(disks.Folder, "run/checkpoints"));
        using ClientProcess resumed = await disks.RunAsync(0, "resume", "run");

        Assert.Equal(Path.Combine(disks.Folder, "run/checkpoints/step-00000040"), JobEnd.Of(stopped).Checkpoint);
        Assert.Equal(
            stopped.Events.Where(line => line.GetProperty("event").GetString() == "checkpoint.saved").Select(line => line.GetProperty("path").GetString())
                .TakeLast(3),
            ofFirst.Select(name => Path.Combine(disks.Folder, "run/checkpoints", name)));
        Assert.Equal("run.completed", JobEnd.Of(resumed).Event);
        Assert.Equal(alone.StateSha256, JobEnd.Of(resumed).StateSha256);
        Assert.Equal(Path.Combine(disks.Folder, "run/checkpoints/step-00000060"), JobEnd.Of(resumed).Checkpoint);
        Assert.Contains("is being sent there", resumed.Error);
        using ClientProcess verified = await ClientProcess.RunAsync(0, disks.Folder, "checkpoint", "verify", "run");
        Assert.Empty(Directory.GetFiles(Path.Combine(disks.Folder, "run"), ".probe-*"));

        JsonElement cache = (await disks.StateAsync("first", "stopped")).GetProperty("checkpointCache");
        Assert.Equal("node-1", cache.GetProperty("silo").GetString());
        string path = cache.GetProperty("path").GetString()!;
        Assert.Equal(disks.Cache, Path.GetDirectoryName(path));
        Assert.Equal(["step-00000030", "step-00000040"], SeparateDisks.CheckpointsIn(Path.Combine(path, "checkpoints")));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
        }
    }

    [Fact]
    public async Task A_clients_full_disk_costs_a_warning_and_the_checkpoint_is_fetched_when_there_is_room()
    {
        disks.Demand();
        Assert.SkipUnless(SmallDisk.CanMount, "needs the right to mount a disk");
        using var disk = new SmallDisk(Path.Combine(disks.Folder, "small"), 8 << 10);
        using ClientProcess training = ClientProcess.Start(
            disks.Folder,
            ["train", "--json", .. Lenet, "--steps", "120", "-s", "checkpoint.everySteps=10", "--cluster", disks.Url, "--job", "small", "--out", "small/run"]);
        await training.SaysAsync("\"checkpoint.saved\"");
        disk.Fill();
        await training.SaysAsync(" could not be fetched: ");
        disk.Free();
        await training.EndAsync(0);

        Assert.Equal(Path.Combine(disk["run/checkpoints/step-00000120"]), JobEnd.Of(training).Checkpoint);
        using ClientProcess verified = await ClientProcess.RunAsync(0, disks.Folder, "checkpoint", "verify", "small/run");
    }

    [Fact]
    public async Task A_client_that_is_killed_leaves_only_whole_checkpoints_and_the_cluster_keeps_the_newest()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        disks.Demand();
        string[] job = [.. Lenet, "--steps", "100000"];
        string saved = Path.Combine(disks.Folder, "lost/checkpoints");
        using ClientProcess training = ClientProcess.Start(
            disks.Folder,
            ["train", "--json", .. job, "-s", "checkpoint.everySteps=1", "--cluster", disks.Url, "--job", "lost", "--out", "lost"]);
        await training.SaysAsync("\"checkpoint.saved\"");
        while (string.CompareOrdinal(SeparateDisks.CheckpointsIn(saved).LastOrDefault(), "step-00000020") < 0)
        {
            Assert.False(training.HasExited, training.Error);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        training.Kill();
        foreach (string name in SeparateDisks.CheckpointsIn(saved))
        {
            using ClientProcess verified = await ClientProcess.RunAsync(0, disks.Folder, "checkpoint", "verify", Path.Combine(saved, name));
        }

        long step = (await disks.StateAsync("lost", "orphaned")).GetProperty("step").GetInt64();
        using ClientProcess waiting = await disks.RunAsync(4, "job", "wait", "lost");
        using ClientProcess fetched = await disks.RunAsync(0, "checkpoint", "get", "--job", "lost", "fetched");
        JsonElement got = Assert.Single(fetched.Events);
        string end = $"{step + 20}";
        using ClientProcess resumed = await disks.RunAsync(0, "resume", "fetched", "--stop-after", end);
        JobEnd alone = await JobEnd.TrainAsync(disks.Folder, [.. job, "--stop-after", end]);

        Assert.Contains("convnet checkpoint get --job lost", waiting.Error);
        Assert.Equal(("checkpoint.fetched", step), (got.GetProperty("event").GetString(), got.GetProperty("step").GetInt64()));
        Assert.Equal(Path.Combine(disks.Folder, $"fetched/checkpoints/step-{step:D8}"), got.GetProperty("path").GetString());
        Assert.Equal(alone.StateSha256, JobEnd.Of(resumed).StateSha256);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_orphaned_job_is_taken_up_from_a_machine_that_has_nothing_of_it(bool isAttached)
    {
        disks.Demand();
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        string id = isAttached ? "attached" : "by-itself";
        string[] job = [.. Lenet, "--steps", "1000"];
        using ClientProcess training = ClientProcess.Start(
            disks.Folder, ["train", "--json", .. job, "-s", "checkpoint.everySteps=10", "--cluster", disks.Url, "--job", id, "--out", id]);
        await training.SaysAsync("\"checkpoint.saved\"");
        using ClientProcess paused = await disks.RunAsync(0, "job", "pause", id);
        training.Kill();
        await training.EndAsync(137);
        Directory.Delete(Path.Combine(disks.Folder, id), recursive: true);
        await disks.StateAsync(id, "orphaned");

        if (!isAttached)
        {
            using ClientProcess resumed = await disks.RunAsync(0, "job", "resume", id);
        }

        using ClientProcess ended = await disks.RunAsync(0, "job", isAttached ? "attach" : "wait", id);
        JobEnd end = JobEnd.Of(ended);
        JobEnd alone = await JobEnd.TrainAsync(disks.Folder, job);

        Assert.Equal(alone.StateSha256, end.StateSha256);
        Assert.StartsWith(isAttached ? Path.Combine(disks.Folder, "runs/train-") : disks.Cache, end.Checkpoint);
        string rows = Path.Combine(end.Checkpoint, "../../metrics.csv");
        Assert.Equal(
            Enumerable.Range(1, 1000),
            File.ReadLines(rows).Where(row => row.Contains(",train,", StringComparison.Ordinal)).Select(row => int.Parse(row.Split(',')[0])));
        using ClientProcess verified = await ClientProcess.RunAsync(0, disks.Folder, "checkpoint", "verify", end.Checkpoint);
    }

    [Fact]
    public async Task A_run_goes_on_detached_from_a_checkpoint_that_only_its_client_has()
    {
        disks.Demand();
        using ClientProcess stopped = await ClientProcess.RunAsync(
            0, disks.Folder, ["train", "--json", .. Lenet, "--steps", "60", "--stop-after", "20", "--out", "half"]);
        using ClientProcess resumed = await disks.RunAsync(0, "resume", "half", "--detach", "--job", "half");
        using ClientProcess ended = await disks.RunAsync(0, "job", "wait", "half");
        using ClientProcess fetched = await disks.RunAsync(0, "checkpoint", "get", "--job", "half", "half");
        JobEnd alone = await JobEnd.TrainAsync(disks.Folder, [.. Lenet, "--steps", "60"]);

        Assert.Equal(alone.StateSha256, JobEnd.Of(ended).StateSha256);
        Assert.Equal(alone.StateSha256, Assert.Single(fetched.Events).GetProperty("stateSha256").GetString());
        Assert.Equal(["step-00000020", "step-00000060"], SeparateDisks.CheckpointsIn(Path.Combine(disks.Folder, "half/checkpoints")));
    }
}
