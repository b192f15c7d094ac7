using ConvNet.Engine.Errors;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Checkpoints;

public sealed class CheckpointStoreTests : IDisposable
{
    private readonly TemporaryFolder _run = new();

    public void Dispose() => _run.Dispose();

    private string Store => _run["checkpoints"];

    [Fact]
    public void The_newest_whole_checkpoint_is_found_and_damaged_ones_are_reported()
    {
        Save(9, 10, 11);
        var warnings = new List<string>();
        Assert.Equal(Step(11), CheckpointStore.FindNewest(_run.Path, warnings.Add));
        Assert.Empty(warnings);
        File.AppendAllText(Path.Combine(Step(11), "model.safetensors"), "x");
        Assert.Equal(Step(10), CheckpointStore.FindNewest(_run.Path, warnings.Add));
        Assert.Contains("step-00000011", Assert.Single(warnings));
    }

    [Fact]
    public void A_path_means_a_checkpoint_or_a_run()
    {
        Save(10, 11);
        Assert.Equal(Step(11), CheckpointStore.Resolve(_run.Path, _ => { }));
        Assert.Equal(Step(10), CheckpointStore.Resolve(Step(10), _ => { }));
        using var empty = new TemporaryFolder();
        Refused(empty.Path, "neither a run folder");
        Refused(empty["none"], "no such folder");
        Directory.CreateDirectory(empty["checkpoints"]);
        Refused(empty.Path, "no whole checkpoint");
    }

    [Fact]
    public void At_least_the_last_two_verified_checkpoints_are_kept()
    {
        Save(1, 2, 3, 4, 5);
        File.Delete(Path.Combine(Step(4), "manifest.json"));
        CheckpointStore.Keep(Store, new CheckpointRetention(1, 0, []));
        Assert.Equal([Step(3), Step(4), Step(5)], Directory.GetDirectories(Store).Order(StringComparer.Ordinal));
        Save(6);
        CheckpointStore.Keep(Store, new CheckpointRetention(3, 0, []));
        Assert.Equal([Step(3), Step(4), Step(5), Step(6)], Directory.GetDirectories(Store).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_best_checkpoint_that_is_whole_and_every_kth_stay_besides_the_newest()
    {
        Save(2, 3, 4, 5, 6, 7, 8);
        File.AppendAllText(Path.Combine(Step(5), "model.safetensors"), "x");
        CheckpointStore.Keep(Store, new CheckpointRetention(2, 4, [1, 5, 3, 6]));
        Assert.Equal([Step(3), Step(4), Step(7), Step(8)], Directory.GetDirectories(Store).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_somebody_puts_beside_the_checkpoints_is_never_deleted()
    {
        Save(1, 2, 3, 4);
        Directory.Move(Step(1), Step(1) + "-good");
        CheckpointStore.Keep(Store, new CheckpointRetention(2, 0, []));
        Assert.Equal([Step(1) + "-good", Step(3), Step(4)], Directory.GetDirectories(Store).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Leftovers_of_a_crash_are_cleared_up()
    {
        Save(1, 2);
        Directory.CreateDirectory(Path.Combine(Store, ".tmp-step-00000003-abc"));
        Directory.Move(Step(2), Path.Combine(Store, ".replaced-step-00000002-abc"));
        CheckpointStore.Sweep(Store);
        Assert.Equal([Step(1), Step(2)], Directory.GetFileSystemEntries(Store).Order(StringComparer.Ordinal));
        Assert.True(CheckpointFolder.Verify(Step(2)).Ok);
        Directory.Move(Step(1), Path.Combine(Store, ".replaced-step-00000002-def"));
        CheckpointStore.Sweep(Store);
        Assert.Equal([Step(2)], Directory.GetFileSystemEntries(Store));
    }

    private string Step(long step) => Path.Combine(Store, CheckpointFolder.NameOf(step));

    private void Save(params long[] steps)
    {
        foreach (long step in steps)
        {
            CheckpointFolder.Save(Store, CheckpointFolderTests.Example(step));
        }
    }

    private static void Refused(string path, string part)
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => CheckpointStore.Resolve(path, _ => { }));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(part, error.Message);
    }
}
