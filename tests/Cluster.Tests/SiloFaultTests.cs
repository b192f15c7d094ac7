using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Three silos with all roles: whichever of them is lost, its job goes on with the standbys from the step in progress.</summary>
public sealed class SiloFaultTests(AllRolesFleet fleet, ITestOutputHelper output) : IClassFixture<AllRolesFleet>
{
    /// <summary>Which silo is killed, and when, follows from the seed.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_job_survives_the_kill_of_any_silo_with_the_bits_of_one_process(int seed)
    {
        await fleet.HealAsync();
        FaultFigures figures = await new FaultRun(fleet, FaultKind.Of("Silo-Kill"), seed).RunAsync();
        output.WriteLine(figures.InWords);
    }

    [Fact]
    public Task Two_hundred_kills_of_silos_with_all_roles_change_no_bit() =>
        SeriesAsync(200, kind => kind is { Victim: FaultVictim.Silo, Action: FaultAction.Kill });

    [Fact]
    public Task Forty_other_faults_of_silos_with_all_roles_change_no_bit() =>
        SeriesAsync(40, kind => kind.Victim == FaultVictim.Silo && kind.Action != FaultAction.Kill);

    [Fact]
    public Task Fifty_losses_of_more_than_the_standbys_replace_change_no_bit() =>
        SeriesAsync(50, kind => kind.Victim is FaultVictim.TwoSilos or FaultVictim.Everything);

    private Task SeriesAsync(int runs, Func<FaultKind, bool> isPossible) =>
        new FaultSeries(fleet, () => new AllRolesFleet(), output).RunAsync(runs, FaultKind.All.Where(isPossible));
}
