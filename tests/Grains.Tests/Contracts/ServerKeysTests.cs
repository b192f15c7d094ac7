using ConvNet.Grains.Contracts.Messages;
using Xunit;

namespace ConvNet.Grains.Tests.Contracts;

public class ServerKeysTests
{
    private static readonly ServerKeys Servers = new(["a/job/0", "b/job/1"], "a/job", "a/job", "a/job")
    {
        Standbys = [new Standby("b/job/0"), new Standby("a/job/1"), null, null],
    };

    [Theory]
    [InlineData("a/0", null, "a/job/1")]
    [InlineData("b/1", "b/job/0", null)]
    [InlineData("c/0", null, null)]
    public void A_worker_has_the_standbys_of_its_own_silo_beside_it(string worker, string? first, string? second)
    {
        Assert.Equal(first, Servers.StandbyBeside(0, worker));
        Assert.Equal(second, Servers.StandbyBeside(1, worker));
        Assert.Null((Servers with { Standbys = [] }).StandbyBeside(0, worker));
    }
}
