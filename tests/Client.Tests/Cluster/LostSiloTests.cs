using ConvNet.Client.Cluster;
using ConvNet.Engine.Errors;
using Xunit;

namespace ConvNet.Client.Tests.Cluster;

public sealed class LostSiloTests
{
    [Fact]
    public void What_Orleans_throws_means_that_a_silo_no_longer_answers()
    {
        Assert.True(LostSilo.IsBehind(new SiloUnavailableException()));
        Assert.True(LostSilo.IsBehind(new OrleansException("Unable to connect")));
        Assert.True(LostSilo.IsBehind(new TimeoutException()));
    }

    [Fact]
    public void What_a_grain_says_itself_does_not()
    {
        Assert.False(LostSilo.IsBehind(new ConvNetException(ExitCode.Environment, "Orleans.Runtime.SiloUnavailableException: as text")));
        Assert.False(LostSilo.IsBehind(new IOException()));
    }
}
