using ConvNet.Engine.Errors;
using ConvNet.Silo.Processes;
using Xunit;

namespace ConvNet.Client.Tests.Processes;

public sealed class StopSignalTests
{
    [Theory]
    [InlineData(ExitCode.HungUp)]
    [InlineData(ExitCode.Terminated)]
    public void A_hang_up_never_ends_the_process_and_the_first_request_decides_the_exit_code(ExitCode first)
    {
        var told = new List<string>();
        using var stop = new StopSignal(told.Add);

        stop.Request(first);
        stop.Request(ExitCode.HungUp);
        stop.Request(ExitCode.HungUp);

        Assert.Equal(first, stop.Requested);
        Assert.Single(told);
    }
}
