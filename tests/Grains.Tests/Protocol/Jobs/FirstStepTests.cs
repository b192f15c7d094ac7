using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class FirstStepTests
{
    [Fact]
    public void A_generation_starts_at_the_lowest_version()
    {
        Assert.Equal((2, null), FirstStep.Choose(At(2), [At(2), At(2)]));
        Assert.Equal((1, null), FirstStep.Choose(At(2), [At(2), At(1)]));
        Assert.Equal((1, null), FirstStep.Choose(At(2), [At(1), At(1)]));
    }

    [Fact]
    public void Servers_that_are_further_apart_or_ahead_of_the_coordinator_cannot_go_on()
    {
        (long? step, string? reason) = FirstStep.Choose(At(2), [At(2), At(0)]);
        Assert.Null(step);
        Assert.Contains("2 steps are decided", reason);
        Assert.Contains("versions 2, 0", reason);
        Assert.Null(FirstStep.Choose(At(2), [At(3), At(2)]).Step);
    }

    [Fact]
    public void A_server_without_state_counts_as_lost_and_says_why()
    {
        var lost = FrozenAt.Not(new Answer(Verdict.Rejected, "partition 'b/job/1' holds no state of job 'job'."));
        Assert.Equal((null, lost.Answer.Reason), FirstStep.Choose(At(2), [At(2), lost]));
        Assert.Equal((null, lost.Answer.Reason), FirstStep.Choose(lost, [At(2)]));
        Assert.Contains("newer generation", FirstStep.Choose(At(2), [FrozenAt.Not(Verdict.Stale)]).Reason);
    }

    [Fact]
    public void A_server_that_no_step_changes_goes_on_from_any()
    {
        Assert.Equal((1, null), FirstStep.Choose(At(2), [At(1), At(FrozenAt.Stateless)]));
    }

    private static FrozenAt At(long version) => new(Verdict.Accepted, version);
}
