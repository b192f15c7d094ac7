using ConvNet.Client.Monitor;
using ConvNet.Client.Tests.Views;
using ConvNet.Client.Views;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Client.Tests.Monitor;

public sealed class MonitorScreenTests
{
    private const string Url = "dev://127.0.0.1:11111";

    private static readonly ClusterSilo[] Silos =
    [
        new("node-0", "10.0.0.1:11111", true, true, 2, 1, "0.1.0+0123456789abcdef", DateTimeOffset.UnixEpoch),
        new("node-1", "10.0.0.2:11111", true, false, 2, 1, "0.1.0", null),
        new("server-1", "10.0.0.3:11111", false, true, 0, 1, "?", null),
    ];

    public static TheoryData<int, int> Sizes => new() { { 80, 24 }, { 200, 50 }, { 120, 30 }, { 40, 10 }, { 20, 5 }, { 3, 2 }, { 1, 1 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Every_pane_fits_every_screen_and_the_last_row_names_the_keys(int columns, int rows)
    {
        using var screen = new FakeScreen(columns, rows);
        Terminal terminal = Typing(screen);
        var monitor = new MonitorScreen(terminal, Url);
        using var window = new FullScreen(terminal);

        monitor.Take(Picture(Enumerable.Range(0, 40).Select(i => Job($"job-{i}", 7, 20)).ToArray()) with { Trouble = new Trouble("a silo is gone", default) });
        for (int pane = 0; pane < 8; pane++)
        {
            if (pane == 3)
            {
                monitor.Press(MonitorKey.Open);
                monitor.Take(Opened("job-0", 300));
            }

            window.Show(monitor.Rows(screen.Size), screen.Size);
            Assert.Equal(0, screen.BrokenLines);
            Assert.Equal(rows, screen.Rows.Length);
            Assert.Empty(screen.ScrolledAway);
            if (columns >= 20)
            {
                Assert.EndsWith("q quit", screen.Rows[^1]);
            }

            monitor.Press(MonitorKey.NextPane);
        }
    }

    [Fact]
    public void The_cluster_is_shown_with_its_jobs_and_keys_choose_among_them()
    {
        using var screen = new FakeScreen(120, 24);
        var monitor = new MonitorScreen(Typing(screen), Url);
        monitor.Take(Picture(Job("a", 7, 2), Job("b", 0, 0) with { State = JobState.Queued, Reason = "2 of 3 workers are free" }, Over("c")));

        string[] first = Draw(monitor, screen);
        monitor.Press(MonitorKey.Down);
        string[] second = Draw(monitor, screen);
        monitor.Press(MonitorKey.Last);
        monitor.Press(MonitorKey.Down);
        string[] last = Draw(monitor, screen);
        monitor.Press(MonitorKey.First);

        Assert.Equal($"{Url}  3 silos  2/4 devices busy  3 jobs", first[0]);
        Assert.StartsWith("[Jobs]  Workers   Silos", first[1]);
        Assert.StartsWith("> a ", first[4]);
        Assert.Contains("7/4000", first[4]);
        Assert.Contains("12345", first[4]);
        Assert.StartsWith("  b ", first[5]);
        Assert.StartsWith("> b ", second[5]);
        Assert.Equal("2 of 3 workers are free", second[^2]);
        Assert.StartsWith("> c ", last[6]);
        Assert.StartsWith("> a ", Draw(monitor, screen)[4]);
    }

    [Fact]
    public void The_chosen_job_stays_chosen_and_in_sight_when_others_come_and_go()
    {
        using var screen = new FakeScreen(80, 12);
        var monitor = new MonitorScreen(Typing(screen), Url);
        monitor.Take(Picture(Job("old", 7, 1)));
        monitor.Take(Picture([.. Enumerable.Range(0, 30).Select(i => Job($"new-{i}", 1, 0)), Job("old", 8, 1)]));
        string[] many = Draw(monitor, screen);
        monitor.Take(Picture(Job("other", 1, 1)));

        Assert.Contains(many, row => row.StartsWith("> old ", StringComparison.Ordinal));
        Assert.Contains(Draw(monitor, screen), row => row.StartsWith("> other ", StringComparison.Ordinal));
    }

    [Fact]
    public void Workers_of_all_jobs_and_silos_have_panes()
    {
        using var screen = new FakeScreen(160, 24);
        var monitor = new MonitorScreen(Typing(screen), Url);
        ClusterPicture picture = Picture(Job("a", 7, 2), Over("c"));
        monitor.Take(picture with { Paces = new Dictionary<(string, string), WorkerPace> { [("a", "node-0/0")] = new(432, 0.5, 0.25, 0.15, 0.1) } });

        monitor.Press(MonitorKey.NextPane);
        string[] workers = Draw(monitor, screen);
        monitor.Press(MonitorKey.NextPane);
        string[] silos = Draw(monitor, screen);
        monitor.Press(MonitorKey.PreviousPane);

        Assert.Equal("  worker     job   shards   step   images/s   compute   batch norm   push   pull   now", workers[2]);
        Assert.Equal("  node-0/0   a          0      7        432      50 %         25 %   15 %   10 %   computes", workers[4]);
        Assert.Equal(2, workers.Count(row => row.StartsWith("  node-", StringComparison.Ordinal)));
        Assert.StartsWith("  node-0     10.0.0.1:11111   worker,server    1/2   a", silos[4]);
        Assert.EndsWith("0.1.0+01234567", silos[4]);
        Assert.StartsWith("  node-1     10.0.0.2:11111   worker           1/2   a", silos[5]);
        Assert.StartsWith("  server-1   10.0.0.3:11111   server", silos[6]);
        Assert.Equal(workers, Draw(monitor, screen));
    }

    [Fact]
    public void A_job_is_opened_shows_its_curves_workers_servers_and_events_and_is_left_again()
    {
        using var screen = new FakeScreen(80, 24);
        var monitor = new MonitorScreen(Typing(screen), Url);
        monitor.Take(Opened("a", 0));
        monitor.Press(MonitorKey.Open);
        Assert.Equal("a", monitor.OpenJob);
        monitor.Take(Opened("a", 300));

        string[] curves = Draw(monitor, screen);
        monitor.Press(MonitorKey.NextPane);
        string[] workers = Draw(monitor, screen);
        monitor.Press(MonitorKey.NextPane);
        string[] servers = Draw(monitor, screen);
        monitor.Press(MonitorKey.NextPane);
        string[] events = Draw(monitor, screen);
        monitor.Press(MonitorKey.Back);

        Assert.Equal("a  fashion-cnn on fashion-mnist-mini", curves[0]);
        Assert.StartsWith("━━", curves[1]);
        Assert.StartsWith("loss 1.5000", curves[2]);
        Assert.StartsWith("[Curves]  Workers   Servers   Events", curves[4]);
        Assert.Equal("loss  ━ train 0.0033  ● test 0.5000", curves[5]);
        Assert.Contains(curves, row => row.StartsWith("1.0000┤", StringComparison.Ordinal));
        Assert.Contains(curves, row => row.EndsWith(" 299", StringComparison.Ordinal) && row.Contains("└step 0"));
        Assert.Contains("accuracy  ━ train 0.5000  ● test 0.8750", curves);
        Assert.Contains(workers, row => row.StartsWith("  node-0/0", StringComparison.Ordinal));
        Assert.Contains(servers, row => row.StartsWith("  coordinator   node-0", StringComparison.Ordinal));
        Assert.Contains("something happened", events);
        Assert.Null(monitor.OpenJob);
        Assert.StartsWith("[Jobs]", Draw(monitor, screen)[1]);
    }

    [Fact]
    public void A_high_screen_has_the_workers_below_the_curves_and_a_wide_one_the_curves_side_by_side()
    {
        using var screen = new FakeScreen(200, 50);
        var monitor = new MonitorScreen(Typing(screen), Url);
        monitor.Take(Opened("a", 0));
        monitor.Press(MonitorKey.Open);
        monitor.Take(Opened("a", 300));

        string[] rows = Draw(monitor, screen);

        Assert.Contains(rows, row => row.StartsWith("loss  ━ train", StringComparison.Ordinal) && row.Contains("accuracy  ━ train"));
        Assert.Contains(rows, row => row.StartsWith("  node-0/0", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_not_as_it_should_be_is_said_and_what_was_known_stays()
    {
        using var screen = new FakeScreen(80, 24);
        var monitor = new MonitorScreen(Typing(screen), Url);
        monitor.Take(Opened("a", 300));
        monitor.Press(MonitorKey.Open);
        monitor.Take(Opened("a", 300));

        monitor.Take(Opened("a", 300) with { Trouble = new Trouble("10.0.0.1:30000 cannot be reached", default(DateTimeOffset)) });
        string[] away = Draw(monitor, screen);
        monitor.Take(Opened("a", 300) with { IsBack = true });
        string[] back = Draw(monitor, screen);
        monitor.Take(Opened("a", 300) with { Silent = ["a"] });
        string[] silent = Draw(monitor, screen);
        monitor.Take(Picture(Job("b", 1, 1)));
        string[] gone = Draw(monitor, screen);

        Assert.Contains("The cluster has not answered since 00:00:00, trying again: 10.0.0.1:30000", away);
        Assert.Contains("  cannot be reached.", away);
        Assert.Contains("The cluster answers again.", back);
        Assert.Contains("The job does not answer.", silent);
        Assert.Contains("The cluster no longer knows this job; this is what it said last.", gone);
        Assert.All([away, back, silent, gone], rows => Assert.Contains("loss  ━ train 0.0033  ● test 0.5000", rows));
    }

    [Fact]
    public void What_other_people_named_cannot_steer_the_terminal()
    {
        using var screen = new FakeScreen(80, 24);
        var monitor = new MonitorScreen(Typing(screen), Url);
        JobStatus job = Job("a\e[2J", 7, 1) with { Model = "lenet\u202e", Data = "/data/\a[red]", Reason = "\e[31mno" };
        ClusterPicture picture = Picture(job) with
        {
            OpenJob = job.JobId,
            Curves = JobCurves.Empty with { Events = ["\e]0;title\a"] },
            Silos = [Silos[0] with { Name = "\e[1A" }],
        };
        monitor.Take(picture);

        string[] list = Draw(monitor, screen);
        monitor.Press(MonitorKey.Open);
        monitor.Take(picture);
        string[] open = Draw(monitor, screen);
        monitor.Press(MonitorKey.PreviousPane);
        string[] events = Draw(monitor, screen);

        Assert.StartsWith("> a\\u{1b}[2J", list[4]);
        Assert.Equal("a\\u{1b}[2J  lenet\\u{202e} on /data/\\u{7}[red]", open[0]);
        Assert.Contains("\\u{1b}]0;title\\u{7}", events);
    }

    [Fact]
    public void A_terminal_with_ASCII_alone_gets_ASCII_alone()
    {
        using var screen = new FakeScreen(80, 24);
        var monitor = new MonitorScreen(Typing(screen, isUnicode: false), Url);
        monitor.Take(Opened("a", 0));
        string[] list = Draw(monitor, screen, isUnicode: false);
        monitor.Press(MonitorKey.Open);
        monitor.Take(Opened("a", 300));

        string[] open = Draw(monitor, screen, isUnicode: false);

        Assert.Equal("Up/Down choose  Enter open  Tab pane  q quit", list[^1]);
        Assert.All([.. list, .. open], row => Assert.All(row, character => Assert.True(char.IsAscii(character), row)));
        Assert.Contains(open, row => row.StartsWith("1.0000+", StringComparison.Ordinal));
        Assert.Contains(open, row => row.EndsWith("*", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_keyboard_the_last_row_says_how_to_leave()
    {
        using var screen = new FakeScreen(80, 24);
        Terminal terminal = screen.Terminal(TextWriter.Null);
        using var window = new FullScreen(terminal);
        var monitor = new MonitorScreen(terminal, Url);

        window.Show(monitor.Rows(screen.Size), screen.Size);

        Assert.Equal("Ctrl-C quits", screen.Rows[^1]);
        Assert.Contains("No jobs.", screen.Rows);
    }

    [Fact]
    public void Events_begin_at_the_last_one_and_scroll_back()
    {
        using var screen = new FakeScreen(80, 12);
        var monitor = new MonitorScreen(Typing(screen), Url);
        ClusterPicture picture = Opened("a", 3) with { Curves = JobCurves.Empty with { Events = [.. Enumerable.Range(0, 50).Select(i => $"event {i}.")] } };
        monitor.Take(picture);
        monitor.Press(MonitorKey.Open);
        monitor.Take(picture);
        monitor.Press(MonitorKey.PreviousPane);

        string[] newest = Draw(monitor, screen);
        monitor.Press(MonitorKey.Up);
        string[] before = Draw(monitor, screen);
        monitor.Press(MonitorKey.First);
        string[] first = Draw(monitor, screen);

        Assert.Equal("event 49.", newest[^2]);
        Assert.Equal("event 48.", before[^2]);
        Assert.Contains("event 0.", first);
    }

    private static Terminal Typing(FakeScreen screen, bool isUnicode = true) =>
        screen.Terminal(TextWriter.Null, isUnicode: isUnicode) with { ReadKey = () => throw new InvalidOperationException() };

    private static string[] Draw(MonitorScreen monitor, FakeScreen screen, bool isUnicode = true)
    {
        using var window = new FullScreen(Typing(screen, isUnicode));
        window.Show(monitor.Rows(screen.Size), screen.Size);
        Assert.Equal(0, screen.BrokenLines);
        return screen.Rows;
    }

    private static ClusterPicture Picture(params JobStatus[] jobs) => ClusterPicture.Empty with { Jobs = jobs, Silos = Silos };

    private static ClusterPicture Opened(string id, int steps)
    {
        CurvePoint[] loss = [.. Enumerable.Range(0, steps).Select(step => new CurvePoint(step, 1.0 / (step + 1)))];
        CurvePoint[] accuracy = [.. Enumerable.Range(0, steps).Select(step => new CurvePoint(step, 0.5))];
        var curves = new JobCurves(
            new Curve(loss, steps > 0 ? loss[^1].Value : null),
            new Curve([new CurvePoint(150, 0.5)], 0.5),
            new Curve(accuracy, steps > 0 ? 0.5 : null),
            new Curve([new CurvePoint(150, 0.875)], 0.875),
            ["something happened"],
            IsReading: false);
        return Picture(Job(id, 7, 2), Over("b")) with { OpenJob = steps > 0 ? id : null, Curves = curves };
    }

    private static JobStatus Job(string id, long step, int workers)
    {
        JobStatus job = ShownRun.Status(step, workers);
        return job with
        {
            JobId = id,
            Workers = [.. job.Workers.Select(worker => worker with { Phase = WorkerPhase.Computing })],
            Servers = [new ServerStatus("coordinator", "node-0")],
        };
    }

    private static JobStatus Over(string id) => Job(id, 4000, 2) with { State = JobState.Completed };
}
