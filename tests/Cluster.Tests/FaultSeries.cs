using System.Globalization;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Many faults one after the other, each at a job of its own: which, and at which moment, follows from the seed.</summary>
/// <param name="fleet">Where they happen, until a failure has spoilt it.</param>
/// <param name="another">Another fleet like that.</param>
internal sealed class FaultSeries(FaultFleet fleet, Func<FaultFleet> another, ITestOutputHelper output)
{
    /// <summary>What bench/faults asks for: how many runs there are in all or of each kind, the seed of the first, and of which kinds all are.</summary>
    private static readonly int? AskedRuns = Setting("RUNS"), AskedOfEach = Setting("EACH");
    private static readonly int FirstSeed = Setting("SEED") ?? 1;
    private static readonly string[]? Kinds = Environment.GetEnvironmentVariable("CONVNET_FAULT_KIND")?.Split(',');

    /// <param name="usual">How many runs there are unless somebody asks for another number.</param>
    /// <param name="possible">On this fleet.</param>
    public async Task RunAsync(int usual, IEnumerable<FaultKind> possible)
    {
        Assert.SkipUnless(
            FullRun.IsAsked,
            "behind ./test --full: set CONVNET_TEST_FULL=1, or use bench/faults.");
        FaultKind[] kinds = [.. possible.Where(kind => Kinds is null || Kinds.Contains(kind.Name))];
        Assert.SkipWhen(kinds.Length == 0, $"of another fleet: {string.Join(", ", Kinds ?? [])}.");
        int runs = AskedOfEach * kinds.Length ?? AskedRuns ?? usual;
        var figures = new List<FaultFigures>();
        var failures = new List<string>();
        FaultFleet current = fleet;
        for (int seed = FirstSeed; seed < FirstSeed + runs; seed++)
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
                current = seed + 1 < FirstSeed + runs ? await AnotherAsync(current) : current;
            }
        }

        if (current != fleet)
        {
            await current.DisposeAsync();
        }

        output.WriteLine($"{figures.Count(run => run.IsInWrite)} of {figures.Count} faults came while a checkpoint was written");
        output.WriteLine(FaultTable.Of(figures));
        Assert.True(failures.Count == 0, $"{failures.Count} of {runs} runs have failed; to repeat them:\n{string.Join('\n', failures)}");
    }

    private async Task<FaultFleet> AnotherAsync(FaultFleet spoilt)
    {
        if (spoilt != fleet)
        {
            await spoilt.DisposeAsync();
        }

        FaultFleet next = another();
        await next.InitializeAsync();
        return next;
    }

    /// <summary>What a run that has failed leaves, for whoever asks for it.</summary>
    private static void KeepLogs(FaultFleet fleet, string run)
    {
        if (Environment.GetEnvironmentVariable("CONVNET_FAULT_LOGS") is { Length: > 0 } folder)
        {
            fleet.KeepLogs(run, Path.Combine(folder, run));
        }
    }

    private static int? Setting(string name) =>
        Environment.GetEnvironmentVariable($"CONVNET_FAULT_{name}") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
