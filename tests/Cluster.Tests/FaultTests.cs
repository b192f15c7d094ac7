using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Real processes that are killed, frozen, stopped and cut off while they train: survivors go on to the same bits.</summary>
public sealed class FaultTests(FaultFleet fleet, ITestOutputHelper output) : IClassFixture<FaultFleet>
{
    /// <param name="reason">A pattern for what the job tells, or null: it has nothing to tell.</param>
    [Theory]
    [InlineData("Worker-Kill", 17, "^node-3/0 (cannot be connected any more, and has not answered|has left the cluster with its silo|cannot be reached)")]
    [InlineData("Worker-Suspend", 12, "^node-2/0 (has not answered for [0-9.]+ s|has left the cluster with its silo)$")]
    [InlineData("Leader-Kill", 3, "the job is led by silo 'server-1' now, as silo 'server-2' is gone")]
    [InlineData("Leader-Suspend", 36, "the job is led by silo 'server-1' now, as silo 'server-2' is gone")]
    [InlineData("RedisAndWorker-Restart", 31, "^node-3/0 ")]
    [InlineData("Client-Kill", 7, null)]
    public async Task A_job_survives_a_fault_with_the_bits_of_one_process(string kind, int seed, string? reason)
    {
        Assert.SkipWhen(kind == "Leader-Suspend" && !FullRun.IsAsked, FullRun.Needed);
        await fleet.HealAsync();
        FaultFigures figures = await new FaultRun(fleet, FaultKind.Of(kind), seed).RunAsync();
        Assert.Matches(reason ?? "^$", figures.Reason ?? "");
        output.WriteLine(figures.InWords);
    }

    [Fact]
    public Task Two_hundred_faults_of_every_kind_change_no_bit() => new FaultSeries(fleet, () => new FaultFleet(), output)
        .RunAsync(200, FaultKind.All.Where(kind => !kind.HitsAllRoles && (kind.Action != FaultAction.CutOff || fleet.HasMachines)));
}
