using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Real processes that are killed, frozen, stopped and cut off while they train: survivors go on to the same bits.</summary>
public sealed class FaultTests(FaultFleet fleet, ITestOutputHelper output) : IClassFixture<FaultFleet>
{
    [Theory]
    [InlineData("Worker-Kill", 1)]
    [InlineData("Worker-Suspend", 2)]
    [InlineData("Leader-Kill", 3)]
    [InlineData("Leader-Suspend", 4)]
    [InlineData("RedisAndWorker-Restart", 5)]
    [InlineData("Client-Kill", 6)]
    public async Task A_job_survives_a_fault_with_the_bits_of_one_process(string kind, int seed)
    {
        await fleet.HealAsync();
        FaultFigures figures = await new FaultRun(fleet, FaultKind.Of(kind), seed).RunAsync();
        output.WriteLine(figures.ToString());
    }
}
