using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class FirstStepTests
{
    [Fact]
    public void A_generation_starts_at_the_lowest_version()
    {
        Assert.Equal((2, null, null), FirstStep.Choose(At(2), [At(2), At(2)]));
        Assert.Equal((1, null, null), FirstStep.Choose(At(2), [At(2), At(1)]));
        Assert.Equal((1, null, null), FirstStep.Choose(At(2), [At(1), At(1)]));
    }

    [Fact]
    public void Servers_that_are_further_apart_or_ahead_of_the_coordinator_cannot_go_on()
    {
        (long? step, string? reason, _) = FirstStep.Choose(At(2), [At(2), At(0)]);
        Assert.Null(step);
        Assert.Contains("2 steps are decided", reason);
        Assert.Contains("versions 2, 0", reason);
        Assert.Null(FirstStep.Choose(At(2), [At(3), At(2)]).Step);
    }

    [Fact]
    public void A_server_without_state_counts_as_lost_and_says_why()
    {
        var lost = FrozenAt.Not(new Answer(Verdict.Rejected, "partition 'b/job/1' holds no state of job 'job'."));
        Assert.Equal((null, lost.Answer.Reason, null), FirstStep.Choose(At(2), [At(2), lost]));
        Assert.Equal((null, lost.Answer.Reason, null), FirstStep.Choose(lost, [At(2)]));
        Assert.Contains("newer generation", FirstStep.Choose(At(2), [FrozenAt.Not(Verdict.Stale)]).Reason);
    }

    [Fact]
    public void A_server_that_no_step_changes_goes_on_from_any()
    {
        Assert.Equal((1, null, null), FirstStep.Choose(At(2), [At(1), At(FrozenAt.Stateless)]));
    }

    [Fact]
    public void A_coordinator_that_has_missed_the_last_decision_gets_it_from_a_server_that_has_taken_it()
    {
        var last = new StepDecision(new MessageHeader("job", 1, 2), null, new StepNumbers(default, 0.1, 1, new JobPosition(3, 2, 1, default), null));
        FrozenAt ahead = At(3) with { Last = last };

        Assert.Equal((2, null, last), FirstStep.Choose(At(2), [At(2), ahead]));
        Assert.Equal((3, null, last), FirstStep.Choose(At(2), [ahead, ahead]));
        Assert.Null(FirstStep.Choose(At(2), [At(1), ahead]).Step);
        Assert.Null(FirstStep.Choose(At(2), [At(2), ahead with { Last = last with { Numbers = null } }]).Step);
    }

    private static FrozenAt At(long version) => new(Verdict.Accepted, version);
}
