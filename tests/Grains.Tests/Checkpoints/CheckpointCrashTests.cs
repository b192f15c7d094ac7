using ConvNet.Engine.Formats;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using Xunit;

namespace ConvNet.Grains.Tests.Checkpoints;

/// <summary>A crash after every file operation of whoever writes checkpoints, with what was not flushed kept, lost or torn.</summary>
public sealed class CheckpointCrashTests : IDisposable
{
    private static readonly CheckpointRetention KeepTwo = new(2, 0, []);

    private readonly TemporaryFolder _folder = new(isInMemory: true);
    private int _crashes;

    public CheckpointCrashTests() => Directory.CreateDirectory(Disk);

    private string Disk => _folder["disk"];

    /// <summary>Not there yet, nor are the folders above it.</summary>
    private string Run => _folder["disk/runs/run"];

    private string Store => Path.Combine(Run, CheckpointStore.FolderName);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_first_checkpoint_of_a_new_run_folder_is_whole_or_not_there_and_there_once_it_is_saved() => Crash(
        disk =>
        {
            RunFolder.Create(Run, disk);
            Save(1, disk);
        },
        [null, HashOf(1)],
        [HashOf(1)]);

    [Fact]
    public void A_further_checkpoint_never_costs_the_one_before()
    {
        Save(1);
        Crash(disk => Save(2, disk), [HashOf(1), HashOf(2)], [HashOf(2)]);
    }

    [Fact]
    public void A_checkpoint_of_the_same_step_replaces_the_other_or_leaves_it()
    {
        Save(1);
        string[] both = [HashOf(1), HashOf(1, 7)];
        Crash(disk => Save(1, disk, 7), both, [both[1]]);
    }

    [Fact]
    public void Old_checkpoints_go_and_the_last_two_are_there_at_every_moment()
    {
        Save(1);
        Save(2);
        Save(3);
        Save(4);
        Crash(disk => CheckpointStore.Keep(Store, KeepTwo, disk), [HashOf(4)], [HashOf(4)], atLeast: 2);
        Assert.Equal(2, Directory.GetDirectories(Store).Length);
    }

    [Fact]
    public void A_crash_while_the_leftovers_of_a_crash_are_cleared_up_costs_nothing()
    {
        Save(1);
        Save(2);
        Directory.Move(Path.Combine(Store, CheckpointFolder.NameOf(2)), Path.Combine(Store, ".replaced-step-00000002-abc"));
        Directory.CreateDirectory(Path.Combine(Store, ".tmp-step-00000003-abc"));
        Crash(disk => CheckpointStore.Sweep(Store, disk), [HashOf(2)], [HashOf(2)], atLeast: 2);
    }

    [Fact]
    public void A_checkpoint_that_arrives_is_whole_or_not_there_and_there_once_it_is_taken()
    {
        string other = _folder["other"];
        string path = CheckpointFolder.Save(other, CheckpointFolderTests.Example(2)).Path;
        Save(1);
        Crash(disk => Receive(path, disk), [HashOf(1), HashOf(2)], [HashOf(2)]);
    }

    /// <summary>Each state in which a crash may leave the run folder: what is found there, at once and after it was cleared up, is one of these.</summary>
    /// <param name="meanwhile">Hashes of the newest whole checkpoint during the work; null: none.</param>
    /// <param name="afterwards">And when it is done.</param>
    /// <param name="atLeast">So many whole checkpoints are there at every moment.</param>
    private void Crash(Action<DurableDisk> work, string?[] meanwhile, string[] afterwards, int atLeast = 0)
    {
        var crashed = new CrashedDisk(Disk);
        var disk = new RecordedDisk();
        work(disk);
        IReadOnlyList<DiskStep> steps = disk.Steps;
        Assert.NotEmpty(steps);
        for (int done = 0; done <= steps.Count; done++)
        {
            foreach (Survival way in CrashedDisk.Ways)
            {
                Examine(crashed, way, done < steps.Count ? meanwhile : afterwards, atLeast, done == 0 ? "the start" : $"{steps[done - 1]}");
            }

            if (done < steps.Count)
            {
                crashed.Apply(steps[done]);
            }
        }
    }

    private void Examine(CrashedDisk crashed, Survival way, string?[] allowed, int atLeast, string moment)
    {
        string left = _folder[$"crash-{_crashes++}"];
        crashed.WriteTo(left, way);
        string run = Path.Combine(left, Path.GetRelativePath(Disk, Run));
        string store = Path.Combine(run, CheckpointStore.FolderName);
        CheckpointStore.Sweep(store);
        string? found = CheckpointStore.FindNewest(run, _ => { });
        string? hash = found is null ? null : CheckpointFolder.Load(found).StateSha256();
        Assert.True(allowed.Contains(hash), $"after {moment}: found '{found}', state {hash}.");
        int whole = atLeast == 0 ? 0 : Directory.GetDirectories(store).Count(path => CheckpointFolder.Verify(path).Ok);
        Assert.True(whole >= atLeast, $"after {moment}: {whole} whole checkpoints are left of {atLeast}.");
        Directory.Delete(left, recursive: true);
    }

    private static string HashOf(long step, float first = 1) => CheckpointFolderTests.Example(step, first).StateSha256();

    private void Save(long step, DurableDisk? disk = null, float first = 1) =>
        CheckpointFolder.Save(Store, CheckpointFolderTests.Example(step, first), disk ?? DurableDisk.Machine);

    private void Receive(string path, DurableDisk disk)
    {
        using CheckpointReceipt receipt = CheckpointReceipt.Begin(
            Store, File.ReadAllBytes(Path.Combine(path, CheckpointFolder.ManifestFile)), job: null, disk);
        foreach (string file in CheckpointFolder.Files)
        {
            byte[] content = File.ReadAllBytes(Path.Combine(path, file));
            receipt.Append(file, 0, content[..(content.Length / 2)]);
            receipt.Append(file, content.Length / 2, content[(content.Length / 2)..]);
        }

        receipt.Complete();
    }
}
