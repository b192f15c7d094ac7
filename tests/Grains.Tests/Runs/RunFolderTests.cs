using ConvNet.Grains.Runs;
using ConvNet.Engine.Errors;
using Xunit;

namespace ConvNet.Grains.Tests.Runs;

public sealed class RunFolderTests
{
    [Fact]
    public void Default_folders_are_numbered_and_latest_points_to_the_newest()
    {
        using var folder = new TemporaryFolder();

        RunFolder first = RunFolder.CreateNext(folder["runs"]);
        first.PointLatestHere();
        RunFolder second = RunFolder.CreateNext(folder["runs"]);
        second.PointLatestHere();

        Assert.Equal(folder["runs/train-0001"], first.FullPath);
        Assert.Equal(folder["runs/train-0002"], second.FullPath);
        Assert.Equal("train-0002", new DirectoryInfo(folder["runs/latest"]).LinkTarget);
    }

    [Fact]
    public void Runs_that_start_at_once_get_folders_of_their_own()
    {
        using var folder = new TemporaryFolder();
        string[] paths = new string[16];

        Parallel.For(0, paths.Length, i => paths[i] = RunFolder.CreateNext(folder["runs"]).FullPath);

        Assert.Equal(paths.Length, paths.Distinct().Count());
    }

    [Fact]
    public void A_run_folder_is_that_of_the_job_that_its_events_name_last()
    {
        using var folder = new TemporaryFolder();
        folder.Write("run/config.resolved.yaml", "");
        folder.Write("run/events.jsonl", """
            {"event":"run.started","jobId":"first"}
            {"event":"run.started","jobId":"second"}
            {"event":"checkpoint.saved"}
            {"event":"run.fai
            {"jobId"
            """);

        Assert.NotNull(RunFolder.TryOpen(folder["run"]));
        Assert.NotNull(RunFolder.TryOpen(folder["run"], "second"));
        Assert.Null(RunFolder.TryOpen(folder["run"], "first"));
    }

    [Fact]
    public void A_folder_that_is_not_empty_is_a_conflict()
    {
        using var folder = new TemporaryFolder();
        folder.Write("precious.txt", "");

        ConvNetException error = Assert.Throws<ConvNetException>(() => RunFolder.Create(folder.Path));

        Assert.Equal(ExitCode.Conflict, error.ExitCode);
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void An_empty_folder_is_taken()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["run"]);

        RunFolder taken = RunFolder.Create(folder["run"]);
        taken.PointLatestHere();

        Assert.Equal(folder["run"], taken.FullPath);
        Assert.False(Path.Exists(folder["latest"]));
    }

    [Fact]
    public void A_folder_in_use_is_a_conflict_until_its_session_ends()
    {
        using var temporary = new TemporaryFolder();
        RunFolder folder = RunFolder.Create(temporary["run"]);
        using (folder.Lock())
        {
            Assert.Equal(ExitCode.Conflict, Assert.Throws<ConvNetException>(() => folder.Lock()).ExitCode);
        }

        folder.Lock().Dispose();
    }

    [Fact]
    public void The_lock_of_a_writer_that_is_lost_keeps_nobody_out_and_its_end_lets_nobody_in()
    {
        using var temporary = new TemporaryFolder();
        RunFolder folder = RunFolder.Create(temporary["run"]);
        IDisposable frozen = folder.Lock();
        using (folder.Lock(isLeft: true))
        {
            frozen.Dispose();
            Assert.Equal(ExitCode.Conflict, Assert.Throws<ConvNetException>(() => folder.Lock()).ExitCode);
        }
    }

    [Fact]
    public void A_folder_in_which_nothing_was_trained_goes_and_one_with_a_checkpoint_stays()
    {
        using var temporary = new TemporaryFolder();
        RunFolder empty = RunFolder.Create(temporary["empty"]);
        RunFolder trained = RunFolder.Create(temporary["trained"]);
        Directory.CreateDirectory(Path.Combine(trained.CheckpointsPath, "step-00000001"));

        empty.DeleteUnlessTrained();
        trained.DeleteUnlessTrained();

        Assert.False(Directory.Exists(empty.FullPath));
        Assert.True(Directory.Exists(trained.FullPath));
    }
}
