using System.Globalization;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Real processes that are killed, frozen, stopped and cut off while they train: survivors go on to the same bits.</summary>
public sealed class FaultTests(FaultFleet fleet, ITestOutputHelper output) : IClassFixture<FaultFleet>
{
    /// <summary>What bench/faults asks for: how many runs, the seed of the first, and of which kinds all are.</summary>
    private static readonly int Runs = Setting("RUNS", 200), FirstSeed = Setting("SEED", 1);
    private static readonly string[]? Kinds = Environment.GetEnvironmentVariable("CONVNET_FAULT_KIND")?.Split(',');

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
        await fleet.HealAsync();
        FaultFigures figures = await new FaultRun(fleet, FaultKind.Of(kind), seed).RunAsync();
        Assert.Matches(reason ?? "^$", figures.Reason ?? "");
        output.WriteLine(figures.InWords);
    }

    [Fact]
    public async Task Two_hundred_faults_of_every_kind_change_no_bit()
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("CONVNET_TEST_FULL") is "1",
            "behind ./test --full: set CONVNET_TEST_FULL=1, or use bench/faults.");
        FaultKind[] kinds = Kinds is not null ? [.. Kinds.Select(FaultKind.Of)]
            : [.. FaultKind.All.Where(kind => kind.Action != FaultAction.CutOff || fleet.HasMachines)];
        var figures = new List<FaultFigures>();
        var failures = new List<string>();
        FaultFleet current = fleet;
        for (int seed = FirstSeed; seed < FirstSeed + Runs; seed++)
        {
            FaultKind kind = kinds[seed % kinds.Length];
            try
            {
                await current.HealAsync();
                FaultFigures run = await new FaultRun(current, kind, seed).RunAsync();
                figures.Add(run);
                output.WriteLine($"{seed}: {run.InWords}");
            }
            catch (Exception e)
            {
                failures.Add($"bench/faults 1 --kind {kind.Name} --seed {seed}: {e}");
                output.WriteLine(failures[^1]);
                KeepLogs(current, $"{kind.Name}-{seed}");

                // What the failure has left must not disturb the next run.
                current = seed + 1 < FirstSeed + Runs ? await AnotherAsync(current) : current;
            }
        }

        if (current != fleet)
        {
            await current.DisposeAsync();
        }

        output.WriteLine(FaultTable.Of(figures));
        Assert.True(failures.Count == 0, $"{failures.Count} of {Runs} runs have failed; to repeat them:\n{string.Join('\n', failures)}");
    }

    private async Task<FaultFleet> AnotherAsync(FaultFleet spoilt)
    {
        if (spoilt != fleet)
        {
            await spoilt.DisposeAsync();
        }

        var another = new FaultFleet();
        await another.InitializeAsync();
        return another;
    }

    /// <summary>Logs of silos and the run folder of a run that has failed, for whoever asks for them.</summary>
    private static void KeepLogs(FaultFleet fleet, string run)
    {
        if (Environment.GetEnvironmentVariable("CONVNET_FAULT_LOGS") is { Length: > 0 } folder)
        {
            string kept = Path.Combine(folder, run);
            string[] files = Directory.GetFiles(fleet.Folder, "*", SearchOption.AllDirectories);
            foreach (string file in files.Where(file => file.Contains(run, StringComparison.Ordinal) || file.Contains("/logs/", StringComparison.Ordinal)))
            {
                string copy = Path.Combine(kept, Path.GetRelativePath(fleet.Folder, file));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy, overwrite: true);
            }
        }
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable($"CONVNET_FAULT_{name}") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
