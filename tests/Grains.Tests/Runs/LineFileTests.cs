using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using Xunit;

namespace ConvNet.Grains.Tests.Runs;

public sealed class LineFileTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_a_full_disk_does_not_take_is_written_in_its_order_when_there_is_room_and_told_of_once()
    {
        Assert.SkipUnless(SmallDisk.CanMount, "needs the right to mount a disk");
        using var disk = new SmallDisk(_folder["disk"], 1024);
        string path = disk["lines"];
        string[] lines = [.. Enumerable.Range(0, 3000).Select(number => $"line {number}")];
        using (var file = new LineFile(path))
        {
            disk.Fill(butBytes: 4096);
            foreach (string line in lines[..2000])
            {
                file.Add(line);
                file.Flush();
            }

            string warning = Assert.IsType<string>(file.TakeWarning());
            Assert.StartsWith($"{path}: cannot be written: No space left on device", warning);
            Assert.Null(file.TakeWarning());
            string[] there = File.ReadAllLines(path);
            Assert.InRange(there.Length, 1, 1999);
            Assert.Equal(lines[..(there.Length - 1)], there[..^1]);

            disk.Free();
            Assert.True(SpinWait.SpinUntil(
                () =>
                {
                    file.Flush();
                    return File.ReadAllText(path).EndsWith("line 1999\n", StringComparison.Ordinal);
                },
                Patience));
            foreach (string line in lines[2000..])
            {
                file.Add(line);
            }

            Assert.Null(file.TakeWarning());
        }

        Assert.Equal(lines, File.ReadAllLines(path));
    }

    [Fact]
    public void Lines_that_wait_in_vain_are_an_error_at_the_end()
    {
        Assert.SkipUnless(SmallDisk.CanMount, "needs the right to mount a disk");
        using var disk = new SmallDisk(_folder["disk"], 256);
        var file = new LineFile(disk["lines"]);
        disk.Fill();
        file.Add("one");
        file.Add("two");
        IOException error = Assert.Throws<IOException>(file.Dispose);
        Assert.StartsWith($"{disk["lines"]}: its last 2 lines cannot be written: No space left on device", error.Message);
        Assert.Equal(28, error.HResult);
    }

    [Fact]
    public void No_more_waits_than_the_bound_and_what_is_lost_is_counted()
    {
        Assert.SkipUnless(SmallDisk.CanMount, "needs the right to mount a disk");
        using var disk = new SmallDisk(_folder["disk"], 32 << 10);
        string line = new('x', (1 << 20) - 1);
        using var file = new LineFile(disk["lines"]);
        disk.Fill();
        for (int i = 0; i < 20; i++)
        {
            file.Add(line);
            file.Flush();
        }

        file.TakeWarning();
        disk.Free();
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                file.Flush();
                return new FileInfo(disk["lines"]).Length == 16 << 20;
            },
            Patience));
        Assert.Equal($"{disk["lines"]}: 4 lines are lost, as the disk was full for too long.", file.TakeWarning());
    }

    [Fact]
    public void A_line_that_a_crash_has_cut_does_not_run_into_the_next_one()
    {
        string path = _folder.Write("lines", "one\ntw");
        using (var file = new LineFile(path))
        {
            file.Add("three");
            file.Flush();
        }

        Assert.Equal(["one", "tw", "three"], File.ReadAllLines(path));
    }

    [Fact]
    public void A_stream_tells_all_its_sinks_what_one_of_them_has_to_say()
    {
        var warned = new Noting("the disk is full.");
        var other = new Noting(null);
        using var stream = new RunStream([warned, other]);
        stream.Publish(new RunEvent.Notice("hello"));
        stream.Publish(new RunEvent.Notice("again"));
        Assert.Equal([new RunEvent.Notice("hello"), new RunEvent.Warning("the disk is full."), new RunEvent.Notice("again")], other.Seen);
        Assert.Equal(other.Seen, warned.Seen);
    }

    private sealed class Noting(string? warning) : RunSink
    {
        private string? _warning = warning;

        public List<RunEvent> Seen { get; } = [];

        public override void Handle(RunEvent happened) => Seen.Add(happened);

        public override string? TakeWarning() => Interlocked.Exchange(ref _warning, null);
    }
}
