using ConvNet.Client.Views;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Client.Tests.Views;

public sealed class JobsViewTests
{
    private const string Cluster = "dev://127.0.0.1:11111";

    [Theory]
    [InlineData(80, 24)]
    [InlineData(40, 24)]
    [InlineData(80, 8)]
    [InlineData(200, 50)]
    public void Running_jobs_fit_the_screen_and_each_has_its_bar_and_its_time_left(int columns, int rows)
    {
        using var screen = new FakeScreen(columns, rows);
        using JobsView view = JobsView.For(screen.Terminal(TextWriter.Null), Cluster, once: false);

        for (int step = 0; step < 5; step++)
        {
            view.Show([Job("a", step, 20), Job("b", step, 20), Over("c"), Over("d")], []);
        }

        int shown = rows == 8 ? 1 : 2;
        Assert.Equal(0, screen.BrokenLines);
        Assert.StartsWith(Cluster, screen.Text);
        Assert.Equal(shown, screen.Rows.Count(row => row.StartsWith("━━━")));
        Assert.Equal(shown, screen.Rows.Count(row => row.StartsWith("loss 1.5000") && row.EndsWith(" left")));
        Assert.Equal(rows == 8 ? 1 : 0, screen.Rows.Count(row => row == "… and 1 more running"));
    }

    [Fact]
    public void More_workers_than_there_is_room_for_are_summed_up()
    {
        using var screen = new FakeScreen(80, 24);
        using JobsView view = JobsView.For(screen.Terminal(TextWriter.Null), Cluster, once: false);

        view.Show([Job("a", 7, 40)], []);

        Assert.Contains(screen.Rows, row => row.StartsWith("  … and 25 more workers  at step 7  slowest node-39/0"));
    }

    [Fact]
    public void What_other_people_named_cannot_steer_the_terminal()
    {
        using var screen = new FakeScreen(80, 24);
        using JobsView live = JobsView.For(screen.Terminal(TextWriter.Null), Cluster, once: false);
        var output = new StringWriter();
        using JobsView plain = JobsView.For(new Terminal(output, TextWriter.Null, IsInteractive: false, UsesColor: false), Cluster, once: true);
        JobStatus[] jobs =
        [
            Job("a\e[2J", 7, 1) with { Model = "lenet\u202e", Data = "/data/\a[red]" },
            Over("b\u2066") with { State = JobState.Failed, Failure = new JobFailure(1, "\e[31mno\nerror: no") },
        ];

        live.Show(jobs, []);
        plain.Show(jobs, []);

        Assert.Contains("a\\u{1b}[2J  lenet\\u{202e} on /data/\\u{7}[red]", screen.Rows);
        Assert.Contains("a\\u{1b}[2J  lenet\\u{202e} on /data/\\u{7}[red]  running", output.ToString());
        Assert.Contains(screen.Rows, row => row.StartsWith("b\\u{2066}  failed"));
        Assert.DoesNotContain(output.ToString(), character => char.IsControl(character) && character != '\n');
    }

    [Fact]
    public void A_job_that_does_not_answer_is_shown_as_such()
    {
        using var screen = new FakeScreen(80, 24);
        using JobsView live = JobsView.For(screen.Terminal(TextWriter.Null), Cluster, once: false);
        var output = new StringWriter();
        using JobsView plain = JobsView.For(new Terminal(output, TextWriter.Null, IsInteractive: false, UsesColor: false), Cluster, once: false);

        live.Show([Job("a", 7, 2), Over("c")], ["b"]);
        plain.Show([], ["b"]);
        plain.Show([], ["b"]);

        Assert.StartsWith($"{Cluster}  3 jobs", screen.Text);
        Assert.Single(screen.Rows, "b  does not answer");
        Assert.Equal("b  does not answer", output.ToString().TrimEnd());
    }

    [Fact]
    public void A_job_that_waits_says_for_what()
    {
        var output = new StringWriter();
        using JobsView plain = JobsView.For(new Terminal(output, TextWriter.Null, IsInteractive: false, UsesColor: false), Cluster, once: false);

        plain.Show([Job("a", 0, 2) with { State = JobState.Queued, Reason = "2 of 3 workers are free" }], []);

        Assert.Contains("queued", output.ToString());
        Assert.Contains("2 of 3 workers are free", output.ToString());
    }

    private static JobStatus Job(string id, long step, int workers) => ShownRun.Status(step, workers) with { JobId = id };

    private static JobStatus Over(string id) => Job(id, 4000, 2) with { State = JobState.Completed };
}
