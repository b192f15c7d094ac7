using System.Globalization;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// A long job under one fault after the other, drawn from one seed: a minute of it, always the same, or ten behind --full, from a random seed.
/// </summary>
public sealed class ChaosTests(AllRolesFleet fleet, ITestOutputHelper output) : IClassFixture<AllRolesFleet>
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(FullRun.IsAsked ? 20 : 9);
    private static readonly int Faults = Setting("FAULTS", FullRun.IsAsked ? 30 : 3);
    private static readonly int Seed = Setting("SEED", FullRun.IsAsked ? Environment.TickCount & 0xFFFF : 1);

    [Fact]
    public async Task A_job_under_chaos_ends_in_the_bits_of_one_process_and_no_silo_grows()
    {
        TestContext.Current.SendDiagnosticMessage($"faults from seed {Seed}");
        var told = new List<string>();
        try
        {
            await new ChaosRun(fleet, Seed, Faults, Period, FullRun.IsAsked, line =>
            {
                output.WriteLine(line);
                told.Add(line);
            }).RunAsync();
        }
        catch (Exception e)
        {
            string kept = Directory.CreateTempSubdirectory($"convnet-chaos-{Seed}-").FullName;
            fleet.KeepLogs("chaos", kept);
            string full = FullRun.IsAsked ? "CONVNET_TEST_FULL=1 " : "";
            string faults = string.Join("", told.Select(line => $"\n  {line}"));
            Assert.Fail(
                $"to repeat it: {full}CONVNET_CHAOS_SEED={Seed} CONVNET_CHAOS_FAULTS={Faults}; logs: {kept}; faults that "
                    + $"were over:{faults}\n{e}");
        }
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable($"CONVNET_CHAOS_{name}") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
