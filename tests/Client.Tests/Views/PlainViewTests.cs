using ConvNet.Client.Views;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Client.Tests.Views;

public sealed class PlainViewTests
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    [Fact]
    public void A_run_is_a_few_lines_without_escape_codes()
    {
        using PlainView view = View();

        ShownRun.Show(view);

        string[] lines = _output.ToString().TrimEnd().Split(Environment.NewLine);
        Assert.Equal(
            [
                "fashion-cnn on fashion-mnist-mini",
                "epoch 1/2  step 20  train loss 1.5000  test loss 0.2500  test accuracy 0.8750  99 images/s",
                "Trained 40 steps. Test accuracy 0.8750. State aa.",
                "Evaluate it again:  ./convnet eval /runs/a",
                "Check its files:    ./convnet checkpoint verify /runs/a",
            ],
            lines);
        Assert.Equal("", _error.ToString());
    }

    [Fact]
    public void Trouble_goes_to_standard_error()
    {
        using PlainView view = View();

        ShownRun.ShowTrouble(view);

        Assert.Equal(["warning: step 3 was skipped", "Finishing the step", "error: diverged"], _error.ToString().TrimEnd().Split(Environment.NewLine));
        Assert.Equal("", _output.ToString());
    }

    [Fact]
    public void A_change_of_workers_is_one_sentence()
    {
        using PlainView view = View();

        view.Handle(ShownRun.Lost);
        view.Handle(new RunEvent.MembersChanged(4, 800, [], ["node-4/0", "node-5/0"], 4, "node-4/0 was free; node-5/0 was free", 0, 0.25, 0));
        view.Handle(new RunEvent.MembersChanged(5, 900, ["a/0", "b/0"], ["c/0"], 1, "a/0 is late; b/0 is late; c/0 was free", 5.04, 6, 2));
        view.Handle(new RunEvent.MembersChanged(
            6, 950, [], [], 3, "c/0 takes 4.1 times as long a shard as the others: it has 1 shard of 12 now, before 4", 0, 0.2, 0));

        Assert.Equal(
            [
                "worker node-3/0 is lost (has left the cluster with its silo): 2 workers go on with all data shards from step 412 in generation 3 " +
                "(noticed after 1.2 s, 2.0 s without a step, 1 step computed again).",
                "workers node-4/0, node-5/0 have joined: 4 workers go on with all data shards from step 800 in generation 4 " +
                "(0.2 s without a step).",
                "workers a/0, b/0 are lost (a/0 is late; b/0 is late; c/0 was free) and worker c/0 has joined: 1 worker goes on with all data shards " +
                "from step 900 in generation 5 (noticed after 5.0 s, 6.0 s without a step, 2 steps computed again).",
                "c/0 takes 4.1 times as long a shard as the others: it has 1 shard of 12 now, before 4, from step 950 on in generation 6 " +
                "(0.2 s without a step).",
            ],
            _output.ToString().TrimEnd().Split(Environment.NewLine));
    }

    [Fact]
    public void A_job_that_waits_says_once_for_what()
    {
        using PlainView view = View();
        var waits = new RunEvent.Progress(ShownRun.Status(0) with { State = JobState.Queued, Reason = "1 of 2 workers is free" });

        view.Handle(waits);
        view.Handle(waits);

        Assert.Equal("The job waits: 1 of 2 workers is free", _output.ToString().TrimEnd());
    }

    [Fact]
    public void A_job_that_trains_without_being_kept_says_so()
    {
        using PlainView view = View();
        view.Handle(new RunEvent.Progress(ShownRun.Status(0) with { State = JobState.Running, Reason = "cannot be kept: the store is away." }));

        Assert.StartsWith("The job cannot be kept: the store is away.", _output.ToString());
    }

    private PlainView View() => new(new Terminal(_output, _error, IsInteractive: false, UsesColor: false));
}
