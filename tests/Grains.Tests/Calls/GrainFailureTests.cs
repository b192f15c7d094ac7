using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Calls;

public sealed class GrainFailureTests
{
    [Fact]
    public void A_lost_contact_is_told_without_the_stack_trace_in_its_message()
    {
        JobFailure failure = GrainFailure.ToFailure(new OrleansException("Unable to connect to S127.0.0.1:11112\r\n   at Orleans.Runtime.Messaging"));

        Assert.Equal((int)ExitCode.Environment, failure.ExitCode);
        Assert.StartsWith("127.0.0.1:11112 cannot be reached; check that", failure.Message);
    }

    [Fact]
    public void A_call_whose_time_is_over_while_a_silo_looks_for_the_grain_is_a_lost_contact_that_has_not_arrived()
    {
        var expired = new OperationCanceledException("Message expired before placement could complete for grain worker/node-1/0.");

        Assert.True(GrainFailure.IsLostContact(expired) && GrainFailure.MayBeRepeated(expired) && GrainFailure.HasNotArrived(expired));
        Assert.StartsWith("calls time out; check that", GrainFailure.ToFailure(expired).Message);
        Assert.False(GrainFailure.IsLostContact(new OperationCanceledException()));
    }
}
