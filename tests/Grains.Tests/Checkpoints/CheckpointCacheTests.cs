using ConvNet.Engine.Errors;
using ConvNet.Grains.Checkpoints;
using Xunit;

namespace ConvNet.Grains.Tests.Checkpoints;

public sealed class CheckpointCacheTests : IDisposable
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly TemporaryFolder _folder = new();
    private readonly CheckpointCache _cache;

    public CheckpointCacheTests() => _cache = new CheckpointCache(_folder["cache"], Hour);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Folders_that_are_too_old_go_and_what_is_no_submission_stays()
    {
        string young = Make(1, TimeSpan.FromMinutes(10));
        string old = Make(2, 2 * Hour);
        string foreign = Directory.CreateDirectory(_folder["cache/somebody"]).FullName;
        Age(foreign, 100 * Hour);
        string link = Path.Combine(_folder["cache"], Name(3));
        Directory.CreateSymbolicLink(link, foreign);

        _cache.Sweep();

        Assert.Equal((true, false, true, true), (Directory.Exists(young), Directory.Exists(old), Directory.Exists(foreign), Directory.Exists(link)));
    }

    [Fact]
    public void Of_many_unused_folders_the_oldest_go_and_live_ones_do_not_count()
    {
        string[] unused = [.. Enumerable.Range(0, CheckpointCache.MostUnused + 3).Select(i => Make(i, TimeSpan.FromMinutes(10 + i)))];
        string[] live = [.. Enumerable.Range(100, CheckpointCache.MostUnused + 3).Select(i => Make(i, TimeSpan.Zero))];

        _cache.Sweep();

        Assert.All(live.Concat(unused[..CheckpointCache.MostUnused]), path => Assert.True(Directory.Exists(path)));
        Assert.All(unused[CheckpointCache.MostUnused..], path => Assert.False(Directory.Exists(path)));
    }

    [Fact]
    public void The_folder_of_a_job_that_has_ended_is_kept_for_its_time_and_a_touch_keeps_it_longer()
    {
        string folder = Make(1, TimeSpan.FromMinutes(59));
        Assert.False(_cache.IsOver(Name(1)));
        Age(folder, TimeSpan.FromMinutes(61));
        _cache.Touch(Name(1));
        Assert.False(_cache.IsOver(Name(1)));
        Age(folder, TimeSpan.FromMinutes(61));
        Assert.True(_cache.IsOver(Name(1)));
        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../../etc")]
    [InlineData("")]
    [InlineData("0123456789abcdef0123456789abcdef\n")]
    [InlineData("0123456789ABCDEF0123456789ABCDEF")]
    public void A_name_that_is_no_submission_makes_no_folder(string name)
    {
        Assert.Equal(ExitCode.BadInput, Assert.Throws<ConvNetException>(() => _cache.Open(name)).ExitCode);
        Assert.False(Directory.Exists(_folder["cache"]));
    }

    [Fact]
    public void A_cache_that_cannot_be_written_is_an_error_that_names_it()
    {
        var cache = new CheckpointCache(_folder.Write("file", "no folder"), Hour);

        ConvNetException error = Assert.Throws<ConvNetException>(() => cache.Open(Name(1)));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(_folder["file"], error.Message);
        Assert.Contains("--cache", error.Message);
    }

    [Fact]
    public void A_probe_is_shared_only_with_who_sees_its_content_and_is_gone_afterwards()
    {
        string run = Directory.CreateDirectory(_folder["run"]).FullName;
        string other = Directory.CreateDirectory(_folder["other"]).FullName;
        using (var probe = FolderProbe.Leave(run))
        {
            Assert.True(FolderProbe.IsShared(run, probe.Secret));
            Assert.False(FolderProbe.IsShared(other, probe.Secret));
            Assert.False(FolderProbe.IsShared(run, probe.Secret[..8] + new string('0', 24)));
            Assert.False(FolderProbe.IsShared(run, "../../probe"));
        }

        Assert.Equal([_folder["run/checkpoints"]], Directory.GetFileSystemEntries(run));
        Assert.Empty(Directory.GetFileSystemEntries(_folder["run/checkpoints"]));
    }

    [Fact]
    public void A_folder_in_which_no_checkpoint_can_be_written_is_not_shared()
    {
        string run = Directory.CreateDirectory(_folder["run"]).FullName;
        using var probe = FolderProbe.Leave(run);
        _folder.Write("run/checkpoints", "no folder");

        Assert.False(FolderProbe.IsShared(run, probe.Secret));
    }

    private static string Name(int number) => number.ToString("x32");

    private static void Age(string folder, TimeSpan age) => Directory.SetLastWriteTimeUtc(folder, DateTime.UtcNow - age);

    private string Make(int number, TimeSpan age)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder["cache"], Name(number))).FullName;
        Age(folder, age);
        return folder;
    }
}
