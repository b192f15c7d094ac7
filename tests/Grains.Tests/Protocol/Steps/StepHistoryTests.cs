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

        Assert.Equal([new StepRow(7, 1.5, 0.25, 0.1, 3, 0.5)], _history.ProgressAt(JobPosition.Start).Recent);
    }

    [Fact]
    public void The_first_five_steps_are_not_timed()
    {
        for (int step = 0; step < 7; step++)
        {
            _history.Add(Outcome(step), 2);
        }

        StepProgress progress = _history.ProgressAt(JobPosition.Start);
        Assert.Equal((16L, 4.0), (progress.TimedSamples, progress.TimedSeconds));
    }

    [Fact]
    public void Rows_and_warnings_are_bounded_and_the_newest_stay()
    {
        for (int step = 0; step < 2100; step++)
        {
            _history.Add(Outcome(step) with { Warning = $"step {step}" }, 1);
        }

        StepProgress progress = _history.ProgressAt(JobPosition.Start);
        Assert.Equal((2000, 100L, 2099L), (progress.Recent.Length, progress.Recent[0].Step, progress.Recent[^1].Step));
        Assert.Equal((20, "step 2080", "step 2099"), (progress.Warnings.Length, progress.Warnings[0], progress.Warnings[^1]));
    }

    private static StepOutcome Outcome(long step) => new(Commit(step), new Metrics(12, 2, 8), 0.1, 3, JobPosition.Start, null);
}
