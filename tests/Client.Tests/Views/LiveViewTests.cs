using ConvNet.Client.Views;
using ConvNet.Grains.Runs;
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
        Assert.Contains("step 7/40", text);
        Assert.Contains("warning: step 3 was skipped", text);
        Assert.Contains("Finishing the step", text);
        Assert.Equal("error: diverged", _error.ToString().TrimEnd());
    }

    private LiveView View() => new(new Terminal(_output, _error, IsInteractive: true, UsesColor: true));
}
