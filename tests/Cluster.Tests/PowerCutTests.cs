using System.Globalization;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Runs of which every process is killed at once, at a random moment, again and again: many of them while a checkpoint is written.</summary>
public sealed class PowerCutTests : IDisposable
{
    /// <summary>More steps than will be done: every cut is to hit a run, however quick the machine; it is stopped some steps after the last one.</summary>
    private const int StepsThatOutliveAllCuts = 1_000_000, StepsAfterwards = 20;
    private static readonly int Cuts = FullRun.IsAsked ? 50 : 2;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);
    private static readonly string[] Job =
        ["--model", "lenet", "--steps", $"{StepsThatOutliveAllCuts}", "--batch", "24", "--workers", "2"];

    private readonly TemporaryFolder _folder = new();
    private string _url = "";

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_of_which_everything_is_killed_goes_on_to_the_bits_of_one_that_was_left_alone(bool isCluster)
    {
        int seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage($"random moments from {seed}");
        var random = new Random(seed);
        string[] command = ["train", .. Job, "--out", "run", "-s", "checkpoint.everySteps=1", "--json"];
        int inWrite = 0;
        var cuts = new HashSet<int>();
        for (int cut = 0; cut < Cuts; cut++)
        {
            using ClientProcess? silo = isCluster ? await StartSiloAsync() : null;
            using ClientProcess run = Start(command, isCluster);
            await SavesAsync(run);
            await Task.Delay(random.NextDouble() * Longest, TestContext.Current.CancellationToken);
            Assert.False(run.HasExited, $"it has ended before it was killed: {run.Output}{run.Error}");
            silo?.Kill();
            run.Kill();
            await run.EndAsync();
            inWrite += Directory.GetDirectories(Checkpoints, ".tmp-*").Length;
            cuts.Add(SavedStep());
            command = ["resume", "run", "--json"];
        }

        TestContext.Current.SendDiagnosticMessage($"{inWrite} of {Cuts} moments were inside the writing of a checkpoint, up to step {SavedStep()}");
        Assert.True(inWrite > 0 || !FullRun.IsAsked, $"none of {Cuts} moments was inside the writing of a checkpoint");
        await AssertGoesOnAsync(isCluster, cuts);
    }

    /// <summary>Goes on after the last cut for some steps, to the bits of a run that was left alone.</summary>
    /// <param name="cuts">The newest checkpoint's step at each cut.</param>
    private async Task AssertGoesOnAsync(bool isCluster, HashSet<int> cuts)
    {
        int steps = SavedStep() + StepsAfterwards;
        using ClientProcess? silo = isCluster ? await StartSiloAsync() : null;
        using ClientProcess run = Start(["resume", "run", "--json", "--stop-after", $"{steps}"], isCluster);
        await run.EndAsync(0);
        JobEnd alone = await JobEnd.TrainAsync(_folder.Path, [.. Job, "--stop-after", $"{steps}", "--out", "alone"]);
        Assert.Equal((alone.StateSha256, steps), (JobEnd.Of(run).StateSha256, JobEnd.Of(run).Steps));

        using ClientProcess verified = await ClientProcess.RunAsync(0, _folder.Path, "checkpoint", "verify", "run");
        Assert.Empty(Directory.GetDirectories(Checkpoints, ".*"));
        int[] rows =
        [
            .. File.ReadLines(Path.Combine(_folder.Path, "run/metrics.csv")).Skip(1).Where(row => row.Contains(",train,"))
                .Select(row => int.Parse(row.Split(',')[0], CultureInfo.InvariantCulture)),
        ];

        // What was committed right before a cut, and not yet read by the console, is in the checkpoint and in no row.
        Assert.Equal(rows.Distinct().Order(), rows);
        Assert.Equal(Enumerable.Range(steps - StepsAfterwards + 1, StepsAfterwards), rows.TakeLast(StepsAfterwards));
        HashSet<int> missing = [.. Enumerable.Range(1, steps).Except(rows)];
        Assert.Subset(cuts, missing.Where(step => !missing.Contains(step + 1)).ToHashSet());
    }

    private string Checkpoints => Path.Combine(_folder.Path, "run", "checkpoints");

    private int SavedStep() =>
        Directory.GetDirectories(Checkpoints, "step-*").Max(folder => int.Parse(folder[^8..], CultureInfo.InvariantCulture));

    private ClientProcess Start(string[] command, bool isCluster) =>
        ClientProcess.Start(_folder.Path, [.. command, .. isCluster ? (string[])["--cluster", _url] : []]);

    private async Task<ClientProcess> StartSiloAsync()
    {
        int[] ports = FreePorts.Take(2);
        _url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";
        ClientProcess silo = ClientProcess.Start(
            _folder.Path, "silo", "--name", "node-1", "--cluster", _url, "--port", $"{ports[0]}", "--gateway", $"{ports[1]}", "--devices", "2");
        await silo.SaysAsync("node-1 is in the cluster");
        return silo;
    }

    /// <summary>Waits until the run has saved something since it was started; or has ended.</summary>
    private static async Task SavesAsync(ClientProcess run)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!run.HasExited && !run.Output.Contains("\"checkpoint.saved\"", StringComparison.Ordinal))
        {
            await Task.Delay(5, deadline.Token);
        }
    }
}
