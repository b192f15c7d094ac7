using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;
using Xunit;
using static ConvNet.Grains.Tests.Protocol.ProtocolFixture;

namespace ConvNet.Grains.Tests.Protocol.Steps;

public class StepFenceTests
{
    private readonly StepFence _fence = new(Job.TotalSteps);

    public StepFenceTests() => _fence.Begin(TwoWorkers(3), 0);

    [Fact]
    public void A_promise_never_goes_back_and_the_same_again_is_answered_the_same()
    {
        Assert.Equal(new FrozenAt(Verdict.Accepted, 7), _fence.Freeze(FromServer(generation: 5), 7));
        Assert.Equal(new FrozenAt(Verdict.Accepted, 7), _fence.Freeze(FromServer(generation: 5), 7));
        Assert.Equal(FrozenAt.Not(Verdict.Stale), _fence.Freeze(FromServer(generation: 4), 7));
        Assert.Equal(5, _fence.Promised);
        Assert.Equal(new FrozenAt(Verdict.Accepted, 7), _fence.Freeze(FromServer(generation: 6), 7));
    }

    [Fact]
    public void Messages_of_the_generation_before_are_stale_from_the_promise_on_and_those_of_the_next_too_early()
    {
        Assert.Null(_fence.Screen(FromServer(generation: 3)));

        _fence.Freeze(FromServer(generation: 5), 0);

        Assert.True(_fence.IsFrozen);
        Assert.Equal(Verdict.Stale, _fence.Screen(FromServer(generation: 3))!.Value.Verdict);
        Assert.Equal(Verdict.Stale, _fence.Screen(FromServer(generation: 4))!.Value.Verdict);
        Assert.Equal(Verdict.Future, _fence.Screen(FromServer(generation: 5))!.Value.Verdict);
    }

    [Fact]
    public void Only_the_promised_generation_or_a_later_one_begins()
    {
        _fence.Freeze(FromServer(generation: 5), 0);

        Assert.Equal(Verdict.Stale, _fence.Begin(TwoWorkers(3), 0).Verdict);
        Assert.Equal(Verdict.Stale, _fence.Begin(TwoWorkers(4), 0).Verdict);
        Assert.Equal(Verdict.Accepted, _fence.Begin(TwoWorkers(5), 0).Verdict);
        Assert.Equal(Verdict.Duplicate, _fence.Begin(TwoWorkers(5), 0).Verdict);
        Assert.False(_fence.IsFrozen);
    }

    [Fact]
    public void A_late_repeat_of_a_freeze_does_not_stop_the_generation_that_it_prepared()
    {
        _fence.Freeze(FromServer(generation: 5), 0);
        _fence.Begin(TwoWorkers(5), 0);

        Assert.Equal(FrozenAt.Not(Verdict.Stale), _fence.Freeze(FromServer(generation: 5), 1));
        Assert.Null(_fence.Screen(FromServer(generation: 5)));
    }

    [Fact]
    public void A_freeze_for_another_job_is_refused()
    {
        Assert.Equal(Verdict.Rejected, _fence.Freeze(new MessageHeader("other", 5, 0), 0).Answer.Verdict);
        Assert.False(_fence.IsFrozen);
    }

    [Fact]
    public void State_is_installed_only_in_a_generation_that_starts_from_a_checkpoint()
    {
        Assert.Equal(Verdict.Rejected, _fence.ScreenInstall(FromServer(generation: 3), 0)!.Value.Verdict);
        _fence.Begin(TwoWorkers(4, firstStep: 2) with { Start = AssignmentStart.Restore }, 2);

        Assert.Null(_fence.ScreenInstall(FromServer(2, generation: 4), 2));
        Assert.Equal(Verdict.Stale, _fence.ScreenInstall(FromServer(2, generation: 3), 2)!.Value.Verdict);
        Assert.Equal(Verdict.Rejected, _fence.ScreenInstall(FromServer(3, generation: 4), 3)!.Value.Verdict);
    }
}
