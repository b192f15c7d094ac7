using ConvNet.Client.Commands;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Client.Tests;

public sealed class ViewTests
{
    private readonly StringWriter _output = new();

    [Fact]
    public void Without_a_terminal_there_are_plain_lines_and_no_escape_codes()
    {
        Show(interactive: false, color: false);

        string text = _output.ToString();
        Assert.DoesNotContain('\e', text);
        Assert.Equal(1, text.Split("epoch 1/2").Length - 1);
        Assert.Contains("test accuracy 0.8750", text);
        Assert.Contains("./convnet eval ", text);
    }

    [Fact]
    public void On_a_terminal_every_worker_has_a_row()
    {
        Show(interactive: true, color: true);

        string text = _output.ToString();
        Assert.Contains("node-1/0", text);
        Assert.Contains("node-2/0", text);
        Assert.Contains("75 %", text);
    }

    [Fact]
    public void Json_leaves_the_output_to_the_events()
    {
        using RunView view = RunView.For(new Terminal(_output, _output, true, true), json: true);
        view.Progress(Status(5));
        view.Warning("w");

        Assert.Equal("", _output.ToString());
    }

    [Fact]
    public void The_redraws_of_many_polls_are_limited()
    {
        using RunView view = RunView.For(new Terminal(_output, _output, true, true), json: false);
        for (long step = 0; step < 5000; step++)
        {
            view.Progress(Status(step));
        }

        Assert.InRange(_output.ToString().Split("images/s").Length - 1, 1, 200);
    }

    private void Show(bool interactive, bool color)
    {
        using var folder = new TemporaryFolder();
        using RunView view = RunView.For(new Terminal(_output, _output, interactive, color), json: false);
        view.Started(["fashion-cnn on fashion-mnist-mini"]);
        for (int i = 0; i < 20; i++)
        {
            view.Progress(Status(i));
        }

        view.EpochCompleted(1, Status(20), new EvaluationResult(20, 100, 0.25, 0.875));
        view.Ended(RunSummary.From(Status(40), new CheckpointResult("/a", 40, "aa", "bb"), 0.875), RunFolder.Create(folder.Path));
    }

    private static JobStatus Status(long step) => new()
    {
        JobId = "a",
        Model = "fashion-cnn",
        Data = "fashion-mnist-mini",
        State = JobState.Running,
        Step = step,
        TotalSteps = 40,
        StepsPerEpoch = 20,
        TrainLoss = 1.5,
        Workers = [new WorkerStatus("node-1/0", 0, 2, step, 100 * step, 3, 1, 0, 0), new WorkerStatus("node-2/0", 2, 4, step, 0, 1, 0, 0, 0)],
    };
}
