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
}
