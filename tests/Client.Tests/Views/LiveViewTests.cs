using ConvNet.Client.Views;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Client.Tests.Views;

public sealed class LiveViewTests
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    [Fact]
    public void Every_worker_has_a_row_and_what_is_finished_has_a_line()
    {
        using LiveView view = View();

        ShownRun.Show(view);

        string text = _output.ToString();
        Assert.Contains("node-1/0", text);
        Assert.Contains("node-2/0", text);
        Assert.Contains("75 %", text);
        Assert.Contains("test accuracy 0.8750", text);
        Assert.Contains("./convnet eval ", text);
    }

    [Fact]
    public void The_redraws_of_many_polls_are_limited()
    {
        using LiveView view = View();

        for (long step = 0; step < 5000; step++)
        {
            view.Handle(new RunEvent.Progress(ShownRun.Status(step)));
        }

        Assert.InRange(_output.ToString().Split("images/s").Length - 1, 1, 200);
    }

    [Fact]
    public void A_failure_leaves_the_newest_status_on_the_screen_and_the_error_on_standard_error()
    {
        using LiveView view = View();

        view.Handle(new RunEvent.Progress(ShownRun.Status(3)));
        view.Handle(new RunEvent.Progress(ShownRun.Status(7)));
        ShownRun.ShowTrouble(view);

        string text = _output.ToString();
        Assert.Contains("step  7/40", text);
        Assert.Contains("warning: step 3 was skipped", text);
        Assert.Contains("Finishing the step", text);
        Assert.Equal("error: diverged", _error.ToString().TrimEnd());
    }

    [Theory]
    [InlineData(80, 24)]
    [InlineData(40, 24)]
    [InlineData(36, 10)]
    [InlineData(200, 50)]
    public void Bar_and_loss_and_time_left_stay_on_a_screen_of_any_size_with_many_workers(int columns, int rows)
    {
        using var screen = new FakeScreen(columns, rows);
        using var view = new LiveView(screen.Terminal(_error));

        view.Handle(new RunEvent.Progress(ShownRun.Status(3, 20)));
        for (int epoch = 1; epoch < 30; epoch++)
        {
            view.Handle(new RunEvent.Progress(ShownRun.Status(20 * epoch, 20)));
            view.Handle(new RunEvent.EpochCompleted(epoch, 200, 1.5, new EvaluationResult(20 * epoch, 100, 0.25, 0.875), 12345));
        }

        Assert.Equal(0, screen.BrokenLines);
        Assert.Single(screen.Rows, row => row.StartsWith('━') && row.Contains(" %") && row.Contains(" 580/4000"));
        Assert.Single(screen.Rows, row => row.Contains("loss 1.5000") && row.EndsWith("1:54:00 left"));
        Assert.Equal(29, screen.Text.Split("test accuracy 0.8750").Length - 1);
        Assert.Single(screen.Text.Split('\n'), row => row.Contains("loss 1.5000") && row.EndsWith("left"));
        Assert.Equal(columns < 200, screen.Rows.Any(row => row.Contains("more workers") || row.Contains("20 workers")));
    }

    [Fact]
    public void Workers_without_room_are_summed_up_in_a_line()
    {
        using var screen = new FakeScreen(80, 24);
        using var view = new LiveView(screen.Terminal(_error));

        view.Handle(new RunEvent.Progress(ShownRun.Status(3, 20)));

        Assert.Equal("  … and 11 more workers  at step 3  slowest node-19/0  88 % compute", screen.Rows.Last(row => row.Length > 0));
        Assert.Equal(9, screen.Rows.Count(row => row.StartsWith("  node-")));
    }

    [Fact]
    public void A_change_of_workers_is_a_line_above_and_the_generation_stands_beside_the_numbers()
    {
        using var screen = new FakeScreen(200, 24);
        using var view = new LiveView(screen.Terminal(_error));

        view.Handle(new RunEvent.Progress(ShownRun.Status(3, 2)));
        Assert.DoesNotContain("generation", screen.Text);
        view.Handle(ShownRun.Lost);
        view.Handle(new RunEvent.Progress(ShownRun.Status(3, 2) with { Generation = 3 }));
        view.Dispose();

        Assert.StartsWith("worker node-3/0 is lost", screen.Rows[0]);
        Assert.Single(screen.Rows, row => row.StartsWith("loss ") && row.Contains("  generation 3  "));
    }

    [Fact]
    public void A_job_that_waits_says_once_for_what()
    {
        using var screen = new FakeScreen(80, 24);
        using var view = new LiveView(screen.Terminal(_error));
        JobStatus waits = ShownRun.Status(0) with { State = JobState.Queued, Reason = "1 of 2 workers is free" };

        view.Handle(new RunEvent.Progress(waits));
        view.Handle(new RunEvent.Progress(waits));

        Assert.Single(screen.Text.Split('\n'), row => row.Contains("The job waits: 1 of 2 workers is free"));
        Assert.Contains(screen.Rows, row => row.EndsWith("queued"));
    }

    [Fact]
    public void A_long_warning_breaks_between_words_and_leaves_nothing_of_the_rows_below()
    {
        using var screen = new FakeScreen(80, 24);
        using var view = new LiveView(screen.Terminal(_error));

        view.Handle(new RunEvent.Progress(ShownRun.Status(3)));
        view.Handle(new RunEvent.Warning("step 3 was skipped because a gradient of the tensor 1.main.0.weight is not finite on node-1"));

        Assert.Equal(["warning: step 3 was skipped because a gradient of the tensor 1.main.0.weight is", "  not finite on node-1", ""], screen.Rows[..3]);
        Assert.StartsWith("━━━", screen.Rows[3]);
        Assert.Equal(0, screen.BrokenLines);
    }

    [Fact]
    public async Task A_window_that_becomes_narrower_gets_a_clean_screen_and_one_that_becomes_wider_goes_on_in_place()
    {
        using var screen = new FakeScreen(80, 24);
        using var view = new LiveView(screen.Terminal(_error));
        view.Handle(new RunEvent.Progress(ShownRun.Status(3, 20)));
        view.Handle(new RunEvent.EpochCompleted(1, 2, 1.5, new EvaluationResult(20, 100, 0.25, 0.875), 99));

        screen.Resize(44, 16);
        view.Handle(new RunEvent.Warning("narrow"));
        await Task.Delay(300, TestContext.Current.CancellationToken);
        view.Handle(new RunEvent.Notice("still"));

        Assert.Equal(["epoch 1/2  step 20  train loss 1.5000  test", "  loss 0.2500  test accuracy 0.8750", "warning: narrow", "still", ""], screen.Rows[..5]);
        Assert.Equal(0, screen.BrokenLines);
        Assert.Single(screen.Rows, row => row.EndsWith("left"));

        screen.Resize(120, 30);
        view.Handle(new RunEvent.Notice("wide"));

        Assert.Equal("wide", screen.Rows[4]);
        Assert.Single(screen.Rows, row => row.EndsWith("left"));
    }

    [Fact]
    public void Names_and_remote_errors_cannot_steer_the_terminal()
    {
        using var screen = new FakeScreen(80, 24);
        using var view = new LiveView(screen.Terminal(_error));
        JobStatus status = ShownRun.Status(3);
        status = status with { Workers = [status.Workers[0] with { Name = "\e]0;owned\a\u202e\u009b31m/0" }] };

        view.Handle(new RunEvent.Started("/runs/a", "{}", ["Training \e[2Jred on [b]\u200fcats"]));
        view.Handle(new RunEvent.Progress(status));
        view.Handle(new RunEvent.Warning("node \e[31m\rsays so"));
        view.Handle(new RunEvent.Failed(Engine.Errors.ExitCode.TrainingFailed, "node \u2066x\e[8m: no"));

        Assert.Equal("Training \\u{1b}[2Jred on [b]\\u{200f}cats", screen.Rows[0]);
        Assert.Equal("warning: node \\u{1b}[31m\\u{d}says so", screen.Rows[1]);
        Assert.Contains("\\u{1b}]0;owned\\u{7}\\u{202e}\\u{9b}31m/0", screen.Text);
        Assert.Equal("error: node \\u{2066}x\\u{1b}[8m: no", _error.ToString().TrimEnd());
    }

    [Fact]
    public void Without_colour_and_without_unicode_the_bar_still_shows_what_is_done()
    {
        using var colourless = new FakeScreen(80, 24);
        using var ascii = new FakeScreen(80, 24);
        using var first = new LiveView(colourless.Terminal(_error, usesColor: false));
        using var second = new LiveView(ascii.Terminal(_error, isUnicode: false));

        first.Handle(new RunEvent.Progress(ShownRun.Status(20)));
        second.Handle(new RunEvent.Progress(ShownRun.Status(20)));

        Assert.Contains("━━───", colourless.Text);
        Assert.Contains("##---", ascii.Text);
        Assert.All(ascii.Text, character => Assert.True(char.IsAscii(character)));
    }

    [Fact]
    public void The_cursor_comes_back_also_when_the_run_is_left_at_once()
    {
        using var screen = new FakeScreen(80, 24);
        using var view = new LiveView(screen.Terminal(_error));

        view.Handle(new RunEvent.Progress(ShownRun.Status(3)));
        Assert.True(screen.IsCursorHidden);
        view.Handle(new RunEvent.Abandoned(Engine.Errors.ExitCode.Interrupted));

        Assert.False(screen.IsCursorHidden);
    }

    private LiveView View() => new(new Terminal(_output, _error, IsInteractive: true, UsesColor: true));
}
