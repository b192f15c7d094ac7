using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// One job on three silos with all roles, and one fault after the other: its bits are those of one process, each step counts once, and nothing but the
/// test ends it. Whoever was hit is started again, as a supervisor does it.
/// </summary>
/// <remarks>
/// Nothing may grow with the number of faults. A process that was killed says nothing about that, so one silo, drawn from the seed, lives through
/// all of them: it is frozen for a moment like the others, and meets the loss and return of its neighbours, of Redis and of the console. Its memory,
/// handles and threads after the last fault are compared with those after the second, by which both neighbours were lost, so that it has had all shards
/// and all servers of the job: what it has held then, it may hold again. Both are the least of many samples in the last seconds before the next fault,
/// after it was made to collect its garbage: what a fault has brought for a moment does not count, nor when the runtime thinks that a collection is due.
/// </remarks>
internal sealed class ChaosRun
{
    public const double Growth = 1.1;
    private const int Batch = 24, Rows = 50;
    /// <summary>More threads than before, whatever their number: the runtime's pool comes and goes by some.</summary>
    private const int ThreadSlack = 8;
    private const string Run = "chaos";
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(4), Sample = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan AlonePatience = TimeSpan.FromMinutes(30), ProtectionPatience = TimeSpan.FromMinutes(1);
    private static readonly string[] Job = ["--model", "lenet", "--batch", $"{Batch}", "--data-shards", "6", "--steps", "1000000"];

    private readonly FaultFleet _fleet;
    private readonly TimeSpan _period;
    private readonly string _survivor;
    private readonly ChaosFault[] _faults;
    private readonly Action<string> _tell;
    private readonly List<ProcessFigures> _figures = [];

    /// <param name="period">From one fault to the next, or longer if a victim is not back by then.</param>
    /// <param name="tell">Takes one line for each fault.</param>
    public ChaosRun(FaultFleet fleet, int seed, int faults, TimeSpan period, bool hasLongFaults, Action<string> tell)
    {
        (_fleet, _period, _tell) = (fleet, period, tell);
        var random = new Random(seed);
        _survivor = FaultFleet.Workers[random.Next(FaultFleet.Workers.Length)];
        _faults = ChaosFault.Draw(random, faults, _survivor, hasLongFaults);
    }

    public async Task RunAsync()
    {
        ClientProcess survivor = _fleet.Silo(_survivor);
        using ClientProcess console = _fleet.StartClient(
            ["train", "--json", .. Job, "--workers", "3", "-s", "checkpoint.everySteps=50", "--job", Run, "--out", Run]);
        await _fleet.RowsAsync(Run, Rows, console);
        foreach (ChaosFault fault in _faults)
        {
            bool isUnprotected = fault.IsFatal && !await ProtectedAsync();
            long begun = Stopwatch.GetTimestamp();
            await HitAsync(fault, console);
            await _fleet.RowsAsync(Run, _fleet.Rows(Run) + Rows, console);
            TimeSpan calm = _period - Window - Stopwatch.GetElapsedTime(begun);
            await Task.Delay(calm > TimeSpan.Zero ? calm : TimeSpan.Zero, TestContext.Current.CancellationToken);
            _figures.Add(await LeastAsync(survivor));
            string hit = fault.InWords + (isUnprotected ? ", while the job was not protected" : "");
            _tell(string.Create(CultureInfo.InvariantCulture, $"{hit}: row {_fleet.Rows(Run)}, {_survivor} has {_figures[^1].InWords}"));
        }

        console.Terminate();
        await console.EndAsync(143);
        await AssertWholeAsync(console);
        _fleet.AssertAllRun();
        AssertHasNotGrown(_figures[1], _figures[^1]);
    }

    /// <summary>Waits until the job may lose a silo: two of three at once are another case than one after the other.</summary>
    /// <returns>False if that takes too long.</returns>
    private async Task<bool> ProtectedAsync()
    {
        for (var waiting = Stopwatch.StartNew(); waiting.Elapsed < ProtectionPatience; await Task.Delay(Sample, TestContext.Current.CancellationToken))
        {
            using ClientProcess show = _fleet.StartClient("job", "show", Run, "--json");
            if (await show.EndAsync() == 0 && show.Events[0].GetProperty("protected").GetBoolean())
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Until the victim is back.</summary>
    private async Task HitAsync(ChaosFault fault, ClientProcess console)
    {
        switch (fault.Victim)
        {
            case FaultVictim.Redis when fault.Action == FaultAction.Restart:
                await _fleet.Redis.StopAsync();
                await PauseAsync(fault);
                await _fleet.Redis.StartAsync();
                return;
            case FaultVictim.Redis:
                _fleet.Redis.Freeze();
                await PauseAsync(fault);
                _fleet.Redis.Thaw();
                return;
            case FaultVictim.Console:
                console.Freeze();
                await PauseAsync(fault);
                console.Thaw();
                return;
        }

        ClientProcess silo = _fleet.Silo(fault.Silo!);
        int code = await HitSiloAsync(silo, fault);
        if (fault.IsFatal)
        {
            using ClientProcess gone = _fleet.Take(fault.Silo!);
            await gone.EndAsync(code);
            if (!fault.StaysAway)
            {
                await PauseAsync(fault);
                await _fleet.HealAsync();
                await TakenInAsync(fault.Silo!, console);
            }
        }
    }

    /// <summary>Waits until the job has the worker of a silo that was started again, or for some time: it may keep away from one that was slow.</summary>
    private async Task TakenInAsync(string silo, ClientProcess console)
    {
        for (var waiting = Stopwatch.StartNew(); waiting.Elapsed < _period; await Task.Delay(Sample, TestContext.Current.CancellationToken))
        {
            string? last = console.Lines.Select(line => line.Line).LastOrDefault(line =>
                line.Contains("\"members.changed\"", StringComparison.Ordinal) && line.Contains($"\"{silo}/0\"", StringComparison.Ordinal));
            if (last?.Contains($"\"lost\":[\"{silo}/0\"]", StringComparison.Ordinal) == false)
            {
                return;
            }
        }
    }

    /// <returns>The exit code with which the silo ends if the fault is fatal.</returns>
    private static async Task<int> HitSiloAsync(ClientProcess silo, ChaosFault fault)
    {
        switch (fault.Action)
        {
            case FaultAction.Kill:
                silo.Kill();
                return 137;
            case FaultAction.Terminate:
                silo.Terminate();
                return 143;
            default:
                silo.Freeze();
                await PauseAsync(fault);
                silo.Thaw();
                return 4;
        }
    }

    private static Task PauseAsync(ChaosFault fault) => Task.Delay(fault.Pause, TestContext.Current.CancellationToken);

    private static async Task<ProcessFigures> LeastAsync(ClientProcess process)
    {
        await GarbageCollection.ForceAsync(process.Id);
        ProcessFigures least = ProcessFigures.Of(process.Id);
        for (var elapsed = Stopwatch.StartNew(); elapsed.Elapsed < Window;)
        {
            await Task.Delay(Sample, TestContext.Current.CancellationToken);
            least = least.Least(ProcessFigures.Of(process.Id));
        }

        return least;
    }

    /// <summary>The job ended because it was told to, and until then counted each step once, to the bits of one process.</summary>
    private async Task AssertWholeAsync(ClientProcess console)
    {
        JobEnd end = JobEnd.Of(console);
        Assert.Single(console.Events, line => line.GetProperty("event").GetString() == "run.started");
        Assert.Equal("run.stopped", end.Event);
        Assert.All(
            console.Events.Where(line => line.GetProperty("event").GetString() == "members.changed"),
            change => Assert.InRange(change.GetProperty("stepsRepeated").GetInt32(), 0, 1));
        Assert.Equal(end.Steps * Batch, end.Samples.Sum());
        Assert.Equal(
            Enumerable.Range(1, (int)end.Steps),
            File.ReadLines(Path.Combine(_fleet.Folder, Run, "metrics.csv")).Where(row => row.Contains(",train,", StringComparison.Ordinal))
                .Select(row => int.Parse(row.Split(',')[0], CultureInfo.InvariantCulture)));
        using ClientProcess alone = ClientProcess.Start(
            _fleet.Folder, ["train", "--json", .. Job, "--workers", "1", "--stop-after", $"{end.Steps}", "--out", "alone"]);
        await alone.EndAsync(0, AlonePatience);
        Assert.Equal((JobEnd.Of(alone).StateSha256, JobEnd.Of(alone).Steps), (end.StateSha256, end.Steps));
    }

    private void AssertHasNotGrown(ProcessFigures second, ProcessFigures last) => Assert.True(
        last.Kilobytes <= second.Kilobytes * Growth && last.Handles <= second.Handles * Growth
            && last.Threads <= second.Threads * Growth + ThreadSlack,
        $"{_survivor}, which has lived through all faults, has {last.InWords} after the last one, and had {second.InWords} after the second: "
            + $"more than {Growth - 1:P0} more, with {ThreadSlack} threads besides.");
}
