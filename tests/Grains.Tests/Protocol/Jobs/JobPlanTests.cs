using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>When a job trains, evaluates, saves and ends. Most jobs here have 25 steps, 10 an epoch.</summary>
public class JobPlanTests
{
    private static readonly TrainingPlan Epochs = new() { EvaluateEvery = 10 };

    [Fact]
    public void Every_epoch_is_evaluated_and_saved_and_the_last_checkpoint_keeps_the_result()
    {
        Assert.Equal(
            ["evaluate 10", "save 10", "evaluate 20", "save 20", "evaluate 25", "save 25 as final", "end Completed"], new PlanWalk(Epochs).ToEnd());
    }

    [Theory]
    [InlineData(17, "evaluate 10", "save 10", "save 17", "end Stopped")]
    [InlineData(10, "save 10", "end Stopped")]
    [InlineData(25, "evaluate 10", "save 10", "evaluate 20", "save 20", "save 25", "end Stopped")]
    [InlineData(99, "evaluate 10", "save 10", "evaluate 20", "save 20", "evaluate 25", "save 25 as final", "end Completed")]
    public void A_job_stops_after_the_given_step_without_evaluating_it(long stopAfter, params string[] done)
    {
        Assert.Equal(done, new PlanWalk(Epochs with { StopAfter = stopAfter }).ToEnd());
    }

    [Fact]
    public void A_run_that_was_stopped_at_the_end_of_an_epoch_evaluates_it_when_it_goes_on()
    {
        Assert.Equal(["evaluate 20", "evaluate 25", "save 25 as final", "end Completed"], new PlanWalk(Epochs, startStep: 20).ToEnd());
        TrainingPlan evaluated = Epochs with { Evaluations = [new(20, 100, 0.1, 0.9)] };
        Assert.Equal(["evaluate 25", "save 25 as final", "end Completed"], new PlanWalk(evaluated, startStep: 20).ToEnd());
    }

    [Fact]
    public void A_run_that_was_stopped_at_its_last_step_is_evaluated_and_completed_when_it_goes_on()
    {
        TrainingPlan evaluated = Epochs with { Evaluations = [new(25, 100, 0.1, 0.9)] };
        Assert.Equal(["evaluate 25", "save 25 as final", "end Completed"], new PlanWalk(evaluated, startStep: 25).ToEnd());
    }

    [Fact]
    public void A_stop_at_or_before_the_start_trains_nothing_and_names_a_checkpoint_all_the_same()
    {
        var walk = new PlanWalk(Epochs with { StopAfter = 10 }, startStep: 17);
        Assert.Equal(["save 17", "end Stopped"], walk.ToEnd());
        Assert.Empty(walk.Slices);
    }

    [Fact]
    public void A_plan_that_never_evaluates_stops_at_the_last_step()
    {
        Assert.Equal(["save 25", "end Stopped"], new PlanWalk(new TrainingPlan()).ToEnd());
    }

    [Fact]
    public void A_stop_order_ends_a_long_job_after_the_slice_with_a_checkpoint_and_without_an_evaluation()
    {
        PlanWalk walk = null!;
        walk = new PlanWalk(new TrainingPlan { EvaluateEvery = 500_000 }, totalSteps: 1_000_000)
        {
            BeforeSlice = until =>
            {
                if (until > 10)
                {
                    walk.Plan.End(JobState.Stopped);
                }
            },
        };

        Assert.Equal(["save 20", "end Stopped"], walk.ToEnd());
        Assert.Equal([10, 10], walk.Slices);
    }

    [Fact]
    public void A_stop_order_at_the_end_of_an_epoch_leaves_its_evaluation_to_whoever_goes_on()
    {
        PlanWalk walk = null!;
        walk = new PlanWalk(Epochs) { BeforeSlice = _ => walk.Plan.End(JobState.Stopped) };
        Assert.Equal(["save 10", "end Stopped"], walk.ToEnd());
    }

    [Fact]
    public void A_cancelled_job_saves_only_what_is_new()
    {
        PlanWalk walk = null!;
        walk = new PlanWalk(Epochs) { BeforeSlice = _ => walk.Plan.End(JobState.Cancelled) };
        Assert.Equal(["save 10", "end Cancelled"], walk.ToEnd());

        var nothingNew = new PlanWalk(Epochs, startStep: 17);
        nothingNew.Plan.End(JobState.Cancelled);
        Assert.Equal(["end Cancelled"], nothingNew.ToEnd());
    }

    [Fact]
    public void The_first_end_that_is_ordered_counts()
    {
        var walk = new PlanWalk(Epochs);
        walk.Plan.End(JobState.Cancelled);
        walk.Plan.End(JobState.Stopped);
        Assert.Equal("end Cancelled", walk.ToEnd()[^1]);
    }

    [Fact]
    public void Checkpoints_every_few_steps_never_come_twice_at_one_step()
    {
        Assert.Equal(
            ["save 5", "evaluate 10", "save 10", "save 15", "evaluate 20", "save 20", "evaluate 25", "save 25 as final", "end Completed"],
            new PlanWalk(Epochs with { SaveEvery = 5 }).ToEnd());
    }

    [Fact]
    public void A_checkpoint_every_few_minutes_counts_from_the_last_one()
    {
        var walk = new PlanWalk(new TrainingPlan { EvaluateEvery = 100, SaveMinutes = 3 }, totalSteps: 100) { SliceSeconds = 60 };
        Assert.Equal(["save 30", "save 60", "save 90", "evaluate 100", "save 100 as final", "end Completed"], walk.ToEnd());
    }

    [Fact]
    public void Orders_to_save_and_to_evaluate_take_effect_at_the_next_rest_once()
    {
        PlanWalk walk = null!;
        walk = new PlanWalk(Epochs)
        {
            SecondsPerStep = 0.5,
            BeforeSlice = until =>
            {
                if (until == 4)
                {
                    walk.Plan.Save();
                    walk.Plan.Evaluate();
                }
            },
        };
        Assert.Equal(["evaluate 4", "save 4", "evaluate 10"], walk.ToEnd()[..3]);
    }

    [Fact]
    public void Another_stop_step_replaces_that_of_the_plan()
    {
        PlanWalk walk = null!;
        walk = new PlanWalk(Epochs with { StopAfter = 12 }) { BeforeSlice = _ => walk.Plan.StopAfter(17) };
        Assert.Equal(["evaluate 10", "save 10", "save 17", "end Stopped"], walk.ToEnd());
    }

    [Fact]
    public void Slices_take_about_two_seconds_and_the_first_one_ten_steps()
    {
        var unknown = new PlanWalk(Epochs with { EvaluateEvery = 1000 }, totalSteps: 1000) { SecondsPerStep = 0 };
        unknown.ToEnd();
        Assert.Equal(10, unknown.Slices[0]);
        var slow = new PlanWalk(Epochs) { SecondsPerStep = 30 };
        slow.ToEnd();
        Assert.All(slow.Slices, slice => Assert.Equal(1, slice));
        var fast = new PlanWalk(Epochs with { EvaluateEvery = 1000 }, totalSteps: 1000) { SecondsPerStep = 0.01 };
        fast.ToEnd();
        Assert.Equal([200, 200, 200, 200, 200], fast.Slices);
    }

    [Fact]
    public void The_best_evaluation_keeps_its_checkpoint_with_those_that_the_plan_keeps()
    {
        var walk = new PlanWalk(
            Epochs with { Keep = 3, KeepEvery = 20, Evaluations = [new(4, 100, 0.7, 0.5), new(2, 100, 0.1, 0.4), new(8, 100, 0.2, 0.5)] },
            totalSteps: 30);
        walk.ToEnd();
        CheckpointRetention last = walk.Retentions[^1]!;
        Assert.Equal(3, last.Newest);
        Assert.Equal(20, last.EverySteps);
        Assert.Equal([8, 10, 20, 30, 4, 2], last.ByMerit);
    }
}
