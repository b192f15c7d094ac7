using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Runs of which every process is killed at once, at a random moment, again and again: many of them while a checkpoint is written.</summary>
public sealed class PowerCutTests : IDisposable
{
    private const int Steps = 120;
    private static readonly int Cuts = FullRun.IsAsked ? 50 : 2;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);
    private static readonly string[] Job =
        ["--model", "lenet", "--steps", $"{Steps}", "--batch", "96", "--workers", "2"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_of_which_everything_is_killed_goes_on_to_the_bits_of_one_that_was_left_alone(bool isCluster)
    {
        JobEnd whole = await JobEnd.TrainAsync(_folder.Path, [.. Job, "--out", "whole"]);
        int seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage($"random moments from {seed}");
        var random = new Random(seed);
        string[] command = ["train", .. Job, "--out", "run", "-s", "checkpoint.everySteps=1", "--json"];
        int inWrite = 0;
        for (int cut = 0; ; cut++)
        {
            using ClientProcess? silo = isCluster ? await StartSiloAsync() : null;
            using ClientProcess run = ClientProcess.Start(_folder.Path, [.. command, .. isCluster ? (string[])["--cluster", _url] : []]);
            if (cut == Cuts)
            {
                await run.EndAsync(0);
                Assert.Equal((whole.StateSha256, Steps), (JobEnd.Of(run).StateSha256, JobEnd.Of(run).Steps));
                break;
            }

            await SavesAsync(run);
            await Task.Delay(random.NextDouble() * Longest, TestContext.Current.CancellationToken);
            if (run.HasExited)
            {
                // It was quicker than this test: the next one only says so again.
                await run.EndAsync(0);
            }

            silo?.Kill();
            run.Kill();
            await run.EndAsync();
            inWrite += Directory.GetDirectories(Path.Combine(_folder.Path, "run", "checkpoints"), ".tmp-*").Length;
            command = ["resume", "run", "--json"];
        }

        TestContext.Current.SendDiagnosticMessage($"{inWrite} of {Cuts} moments were inside the writing of a checkpoint");
        using ClientProcess verified = await ClientProcess.RunAsync(0, _folder.Path, "checkpoint", "verify", "run");
        Assert.Empty(Directory.GetDirectories(Path.Combine(_folder.Path, "run", "checkpoints"), ".*"));
        int[] rows =
        [
            .. File.ReadLines(Path.Combine(_folder.Path, "run/metrics.csv")).Skip(1).Where(row => row.Contains(",train,"))
                .Select(row => int.Parse(row.Split(',')[0])),
        ];
        Assert.Equal(rows.Distinct().Order(), rows);
    }

    private string _url = "";

    private async Task<ClientProcess> StartSiloAsync()
    {
        int[] ports = FreePorts.Take(2);
        _url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";
        ClientProcess silo = ClientProcess.Start(
            _folder.Path, "silo", "--name", "node-1", "--cluster", _url, "--port", $"{ports[0]}", "--gateway", $"{ports[1]}", "--devices", "2");
        await silo.SaysAsync("node-1 is in the cluster");
        return silo;
    }

    /// <summary>Waits until the run has saved something, this time or before, and has begun; or has ended.</summary>
    private static async Task SavesAsync(ClientProcess run)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!run.HasExited && !run.Output.Contains("\"checkpoint.saved\"", StringComparison.Ordinal))
        {
            await Task.Delay(5, deadline.Token);
        }
    }
}
