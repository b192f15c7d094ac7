using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;
using Xunit;
using static ConvNet.Grains.Tests.Protocol.ProtocolFixture;

namespace ConvNet.Grains.Tests.Protocol.Steps;

public class StepHistoryTests
{
    private readonly StepHistory _history = new();

    [Fact]
    public void A_row_has_the_means_of_its_step()
    {
        _history.Add(Outcome(7), 0.5);

        Assert.Equal([new StepRow(7, 1.5, 0.25, 0.1, 3, 0.5)], _history.Progress().Recent);
    }

    [Fact]
    public void The_first_five_steps_are_not_timed()
    {
        for (int step = 0; step < 7; step++)
        {
            _history.Add(Outcome(step), 2 * step);
        }

        StepProgress progress = _history.Progress();
        Assert.Equal((16L, 4.0), (progress.TimedSamples, progress.TimedSeconds));
    }

    [Fact]
    public void Rows_and_warnings_are_bounded_and_the_newest_stay()
    {
        for (int step = 0; step < 2100; step++)
        {
            _history.Add(Outcome(step) with { Warning = $"step {step}" }, step);
        }

        StepProgress progress = _history.Progress();
        Assert.Equal((2000, 100L, 2099L), (progress.Recent.Length, progress.Recent[0].Step, progress.Recent[^1].Step));
        Assert.Equal((20, "step 2080", "step 2099"), (progress.Warnings.Length, progress.Warnings[0], progress.Warnings[^1]));
    }

    [Fact]
    public void Rows_are_sent_until_they_are_acknowledged()
    {
        _history.Begin(TwoWorkers(), JobPosition.Start);
        Assert.False(_history.HasNews);
        _history.Add(Outcome(0), 1);
        StepProgress lost = _history.Unacknowledged();
        _history.Add(Outcome(1), 2);
        StepProgress taken = _history.Unacknowledged();
        Assert.Equal([0, 1], taken.Recent.Select(row => row.Step));

        _history.Add(Outcome(2), 3);
        _history.Acknowledge(taken);
        _history.Acknowledge(lost);

        Assert.Equal([2], _history.Unacknowledged().Recent.Select(row => row.Step));
        Assert.Equal([0, 1, 2], _history.Progress().Recent.Select(row => row.Step));
        _history.Acknowledge(_history.Unacknowledged());
        Assert.False(_history.HasNews);
    }

    [Fact]
    public void Who_asks_for_all_rows_hears_since_when_no_step_came_and_how_long_the_job_grain_was_silent()
    {
        _history.Begin(TwoWorkers(), JobPosition.Start);
        _history.Run(2, now: 100);
        Assert.Equal(0, _history.ProgressAt(101).RestSeconds);
        _history.Add(Outcome(0), 102);
        Assert.Equal(0, _history.ProgressAt(103).RestSeconds);
        _history.Add(Outcome(1), 104);
        Assert.Equal(3, _history.ProgressAt(107).RestSeconds);

        _history.Ask(107);
        _history.Ask(108);
        Assert.Equal(4, _history.ProgressAt(111).SilenceSeconds);
        _history.EndAsking(112);
        _history.Ask(120);
        _history.EndAsking(121);
        Assert.Equal(5, _history.ProgressAt(130).SilenceSeconds);

        _history.Begin(TwoWorkers(2, firstStep: 2), Outcome(1).Position);
        Assert.Equal((5, 26), (_history.ProgressAt(130).SilenceSeconds, _history.ProgressAt(130).RestSeconds));
        _history.Run(4, now: 131);
        _history.Add(Outcome(2), 132);
        Assert.Equal((0, 0), (_history.ProgressAt(133).SilenceSeconds, _history.ProgressAt(133).RestSeconds));
        Assert.Equal((0, 0), (_history.Progress().SilenceSeconds, _history.Progress().RestSeconds));
    }

    [Fact]
    public void A_change_of_generation_costs_the_time_between_two_commits()
    {
        _history.Begin(TwoWorkers(), JobPosition.Start);
        _history.Run(10, now: 100);
        _history.Add(Outcome(0), 101);
        Assert.Equal((1, null), (_history.Progress().Generation, _history.Progress().GapSeconds));

        _history.Begin(TwoWorkers(2, firstStep: 1), Outcome(0).Position);
        Assert.Null(_history.Progress().GapSeconds);
        _history.Run(10, now: 103);
        _history.Add(Outcome(1), 105);
        _history.Add(Outcome(2), 106);

        StepProgress progress = _history.Progress();
        Assert.Equal((2, 4.0), (progress.Generation, progress.GapSeconds));
        Assert.Equal([1, 4, 1], progress.Recent.Select(row => row.Seconds));
    }

    [Fact]
    public void Time_at_rest_is_nobodys()
    {
        _history.Begin(TwoWorkers(), JobPosition.Start);
        _history.Run(1, now: 0);
        _history.Add(Outcome(0), 1);
        _history.Begin(TwoWorkers(2, firstStep: 1), Outcome(0).Position);

        _history.Run(2, now: 50);
        _history.Add(Outcome(1), 52);

        Assert.Equal(2, _history.Progress().GapSeconds);
    }

    [Fact]
    public void Going_back_to_a_checkpoint_forgets_the_rows_that_come_again()
    {
        _history.Begin(TwoWorkers(), JobPosition.Start);
        for (int step = 0; step < 4; step++)
        {
            _history.Add(Outcome(step), step);
        }

        _history.Acknowledge(_history.Unacknowledged());
        _history.Begin(TwoWorkers(2, firstStep: 2), Outcome(1).Position);
        _history.Add(Outcome(2), 9);

        Assert.Equal([0, 1, 2], _history.Progress().Recent.Select(row => row.Step));
        Assert.Equal([2], _history.Unacknowledged().Recent.Select(row => row.Step));
    }

    private static StepOutcome Outcome(long step) =>
        new(Commit(step), new Metrics(12, 2, 8), 0.1, 3, new JobPosition(step + 1, step + 1, 0, default), null);
}
