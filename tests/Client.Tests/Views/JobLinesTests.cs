using ConvNet.Client.Views;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Client.Tests.Views;

public sealed class JobLinesTests
{
    private readonly StringWriter _output = new();
    private readonly JobLines _lines;

    public JobLinesTests() =>
        _lines = new JobLines(new Terminal(_output, TextWriter.Null, IsInteractive: false, UsesColor: false), "dev://127.0.0.1:11111");

    [Fact]
    public void A_job_has_a_line_when_it_has_moved_on_and_its_workers_below_it()
    {
        _lines.Show([Job("a", 7)], []);
        _lines.Show([Job("a", 7)], []);
        _lines.Show([Job("a", 8)], []);

        string[] lines = _output.ToString().TrimEnd().Split(Environment.NewLine);
        Assert.Equal(6, lines.Length);
        Assert.StartsWith("a  fashion-cnn on fashion-mnist-mini  running  step 7/4000", lines[0]);
        Assert.StartsWith("  worker node-0/0  shards 0-0  step 7", lines[1]);
        Assert.Contains("step 8/4000", lines[3]);
    }

    [Fact]
    public void What_other_people_named_cannot_steer_the_terminal()
    {
        _lines.Show(
            [
                Job("a\e[2J", 7) with { Model = "lenet\u202e", Data = "/data/\a[red]" },
                Job("b", 8) with { State = JobState.Failed, Failure = new JobFailure(1, "\e[31mno\nerror: no") },
            ],
            []);

        Assert.Contains("a\\u{1b}[2J  lenet\\u{202e} on /data/\\u{7}[red]  running", _output.ToString());
        Assert.DoesNotContain(_output.ToString(), character => char.IsControl(character) && character != '\n');
    }

    [Fact]
    public void A_job_that_does_not_answer_is_shown_once()
    {
        _lines.Show([], ["b"]);
        _lines.Show([], ["b"]);

        Assert.Equal("b  does not answer", _output.ToString().TrimEnd());
    }

    [Fact]
    public void A_job_that_has_ended_has_no_time_left()
    {
        _lines.Show([Job("a", 1)], []);
        string running = _output.ToString();
        _lines.Show([Job("a", 1) with { State = JobState.Cancelled }], []);

        Assert.Contains(" left", running);
        Assert.DoesNotContain(" left", _output.ToString()[running.Length..]);
    }

    [Fact]
    public void A_job_that_waits_says_for_what()
    {
        _lines.Show([Job("a", 0) with { State = JobState.Queued, Reason = "2 of 3 workers are free" }], []);

        Assert.Contains("queued", _output.ToString());
        Assert.Contains("2 of 3 workers are free", _output.ToString());
    }

    [Fact]
    public void A_cluster_without_jobs_is_named_once()
    {
        _lines.Show([], []);
        _lines.Show([], []);

        Assert.Equal("No jobs in dev://127.0.0.1:11111.", _output.ToString().TrimEnd());
    }

    private static JobStatus Job(string id, long step) => ShownRun.Status(step, 2) with { JobId = id };
}
