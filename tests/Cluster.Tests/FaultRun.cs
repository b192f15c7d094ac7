using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// One job, longer if it loses its client, and one fault at a random moment of it: the job must end in the bits of one process, whatever the fault, and
/// whoever was not hit must be there still. Everything that is random comes from the seed.
/// </summary>
internal sealed partial class FaultRun
{
    /// <summary>A job waits 10 s for its client, and must not have ended by then; it is stopped some steps after it was resumed.</summary>
    private const int StepsThatOutliveAnyLease = 200_000, StepsResumed = 100;

    /// <summary>Some saved and some unsaved steps, before a fault that takes the job back.</summary>
    private const int RowsToGoBack = 60;

    private static readonly TimeSpan WritePatience = TimeSpan.FromSeconds(30);

    private readonly FaultFleet _fleet;
    private readonly FaultKind _kind;
    private readonly string _run;
    private readonly bool _isDetached;
    private readonly string[] _victims;
    private readonly bool _waitsForWrite;
    private int _steps;
    private readonly int _rows;
    private readonly TimeSpan _delay;
    private readonly TimeSpan _pause;
    private readonly bool _freezesRedis;
    private long _struckAt;

    public FaultRun(FaultFleet fleet, FaultKind kind, int seed)
    {
        (_fleet, _kind, _run) = (fleet, kind, $"{kind.Name}-{seed}");
        var random = new Random(seed);
        _isDetached = random.Next(3) == 0;
        _isDetached = kind.Victim == FaultVictim.Console || (kind.Victim != FaultVictim.Client && _isDetached);
        string worker = FaultFleet.Workers[random.Next(FaultFleet.Workers.Length)];
        _victims = kind.Victim switch
        {
            FaultVictim.Worker when kind.Action == FaultAction.CutOff => [FaultFleet.Workers[0]],
            FaultVictim.Worker or FaultVictim.RedisAndWorker or FaultVictim.Silo => [worker],
            FaultVictim.Leader => [FaultFleet.Leader],
            FaultVictim.Server or FaultVictim.LoneServer => [FaultFleet.Server],
            FaultVictim.TwoSilos => [.. FaultFleet.Workers.Where(name => name != worker)],
            FaultVictim.Everything => FaultFleet.Workers,
            _ => [],
        };

        _steps = kind.Victim == FaultVictim.Client ? StepsThatOutliveAnyLease : kind.Job.Steps;
        _rows = random.Next(10) == 0 ? 0 : random.Next(10, kind.Job.Steps - kind.Job.Steps / 6);

        // Nobody finds a cluster whose Redis is silent, a cluster without enough workers refuses a job, and nobody but its client knows of one before it
        // begins: the job must be there.
        bool mustTrain = kind.HitsRedis || kind.HitsWorker || kind.HitsAllRoles || kind.Victim == FaultVictim.Client;
        _rows = kind.GoesBack ? Math.Max(RowsToGoBack, _rows) : mustTrain ? Math.Max(1, _rows) : _rows;
        _delay = TimeSpan.FromMilliseconds(random.Next(_rows == 0 ? 3000 : 300));
        double pause = random.NextDouble();
        _pause = TimeSpan.FromSeconds(
            kind.HitsRedis ? (FullRun.IsAsked ? 30 : 6)
            : kind.Action == FaultAction.CutOff ? 15 : kind.Victim == FaultVictim.Client ? 13 + 4 * pause : 7 + 6 * pause);
        _freezesRedis = kind.Action == FaultAction.Suspend;
        _waitsForWrite = kind.HitsAllRoles && _rows > 0 && random.Next(3) == 0;
    }

    private bool IsInWrite => Path.Combine(_fleet.Folder, _run, "checkpoints") is var folder
        && Directory.Exists(folder) && Directory.GetDirectories(folder, ".tmp-*").Length > 0;

    /// <returns>What was measured.</returns>
    public async Task<FaultFigures> RunAsync()
    {
        ClientProcess[] survivors = [.. _fleet.Running.Except(_victims).Select(_fleet.Silo)];
        using ClientProcess console = await StartAsync();
        await MomentAsync(console);
        using var watch = new RowWatch(Path.Combine(_fleet.Folder, _run, "metrics.csv"));
        bool isInWrite = IsInWrite;
        _struckAt = Stopwatch.GetTimestamp();
        if (_kind.Victim == FaultVictim.Everything)
        {
            return await CutPowerAsync(console, watch, isInWrite);
        }

        if (_kind.Victim is FaultVictim.Client or FaultVictim.Console)
        {
            await HitConsoleAsync(console);
        }
        else
        {
            Task fault = HitClusterAsync();
            await console.EndAsync(0);
            await fault;
            watch.Stop();
        }

        double? gap = _kind.Victim == FaultVictim.Client || _rows == 0 ? null : watch.Longest;
        if (_kind.Victim == FaultVictim.Console || _isDetached)
        {
            using ClientProcess waiting = await JobAsync("wait");
            await waiting.EndAsync(0);
            await AssertEndAsync(waiting);
        }
        else if (_kind.Victim != FaultVictim.Client)
        {
            await AssertEndAsync(console);
        }

        Assert.All(survivors, silo => Assert.False(silo.HasExited, $"a silo that was not hit has ended: {silo.Output}{silo.Error}"));
        foreach (string victim in _victims)
        {
            await EndVictimAsync(victim);
        }

        AssertRows(isWhole: _kind.Victim != FaultVictim.Client);
        return Measure(console, gap, isInWrite);
    }

    private async Task<ClientProcess> StartAsync()
    {
        string[] layout =
        [
            .. _kind.HitsAllRoles ? (string[])[] : ["-s", "layout.partitions=1"],
            .. _kind.Victim == FaultVictim.LoneServer ? (string[])["-s", "layout.standbys=0"] : [],
            .. _kind.HitsAllRoles || _kind.GoesBack ? (string[])["-s", $"checkpoint.everySteps={_kind.Job.SaveEvery}"] : [],
        ];
        string[] train = ["train", "--json", .. _kind.Job.Options, .. layout, "--steps", $"{_steps}", "--workers", "3", "--job", _run, "--out", _run];
        if (!_isDetached)
        {
            return _fleet.StartClient(train);
        }

        using ClientProcess submitting = _fleet.StartClient([.. train, "--detach"]);
        await submitting.EndAsync(0);
        return await JobAsync("attach");
    }

    private Task<ClientProcess> JobAsync(string command) => Task.FromResult(_fleet.StartClient("job", command, _run, "--json"));

    private async Task MomentAsync(ClientProcess console)
    {
        if (_rows > 0)
        {
            await _fleet.RowsAsync(_run, _rows, console);
        }

        await Task.Delay(_delay, TestContext.Current.CancellationToken);
        for (var waiting = Stopwatch.StartNew(); _waitsForWrite && !IsInWrite && !console.HasExited && waiting.Elapsed < WritePatience;)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Until the fault is over.</summary>
    private async Task HitClusterAsync()
    {
        if (_kind.HitsRedis)
        {
            if (_freezesRedis)
            {
                _fleet.Redis.Freeze();
            }
            else
            {
                await _fleet.Redis.StopAsync();
            }

            foreach (string victim in _victims)
            {
                await Task.Delay(_pause / 3, TestContext.Current.CancellationToken);
                _fleet.Silo(victim).Kill();
            }

            await Task.Delay(_pause * 2 / 3, TestContext.Current.CancellationToken);
            if (_freezesRedis)
            {
                _fleet.Redis.Thaw();
            }
            else
            {
                await _fleet.Redis.StartAsync();
            }

            return;
        }

        ClientProcess silo = _fleet.Silo(_victims[0]);
        switch (_kind.Action)
        {
            case FaultAction.Kill:
                KillVictims();
                break;
            case FaultAction.Terminate:
                silo.Terminate();
                break;
            case FaultAction.CutOff:
                _fleet.Cut(_victims[0]);
                await Task.Delay(_pause, TestContext.Current.CancellationToken);
                _fleet.Mend(_victims[0]);
                break;
            default:
                silo.Freeze();
                if (_kind.Wakes)
                {
                    await Task.Delay(_pause, TestContext.Current.CancellationToken);
                    silo.Thaw();
                }

                break;
        }
    }

    /// <summary>The silo that was hit is gone, or must end when it finds that the cluster goes on without it.</summary>
    private async Task EndVictimAsync(string name)
    {
        using ClientProcess victim = _fleet.Take(name);
        switch (_kind.Action)
        {
            case FaultAction.Terminate:
                await victim.EndAsync(143);
                break;
            case FaultAction.Suspend or FaultAction.CutOff when _kind.Victim != FaultVictim.RedisAndWorker:
                await victim.EndAsync(4);
                string error = Assert.Single(victim.Error.Split('\n'), line => line.StartsWith("error: ", StringComparison.Ordinal));
                Assert.Contains($"silo '{name}' ends: the cluster has declared it dead", error);
                break;
        }
    }

    /// <summary>One directly after the other: nobody does anything in between.</summary>
    private void KillVictims()
    {
        foreach (string victim in _victims)
        {
            _fleet.Silo(victim).Kill();
        }
    }

    private int SavedStep() =>
        Directory.GetDirectories(Path.Combine(_fleet.Folder, _run, "checkpoints"), "step-*")
            .Max(folder => int.Parse(folder[^8..], CultureInfo.InvariantCulture));

    private async Task AssertEndAsync(ClientProcess process, string @event = "run.completed")
    {
        JobEnd end = JobEnd.Of(process);
        JobEnd alone = @event == "run.completed" ? await _kind.Job.AloneAsync(_steps)
            : await _kind.Job.TrainAsync("--steps", $"{StepsThatOutliveAnyLease}", "--stop-after", $"{_steps}");
        Assert.Equal((alone.StateSha256, (long)_steps, @event), (end.StateSha256, end.Steps, end.Event));
    }

    /// <summary>Each step stands once in the metrics, in order.</summary>
    /// <param name="isWhole">None is missing; a client that was hit may not have lived to write all.</param>
    private void AssertRows(bool isWhole)
    {
        int[] steps =
        [
            .. File.ReadLines(Path.Combine(_fleet.Folder, _run, "metrics.csv")).Where(row => row.Contains(",train,", StringComparison.Ordinal))
                .Select(row => int.Parse(row.Split(',')[0])),
        ];
        Assert.Equal(isWhole ? Enumerable.Range(1, _steps) : steps.Distinct().Order(), steps);
        Assert.All(
            Events().Where(line => line.GetProperty("event").GetString() == "members.changed"),
            change => Assert.InRange(change.GetProperty("stepsRepeated").GetInt32(), 0, 1));
    }

    private JsonElement[] Events() =>
        [.. File.ReadLines(Path.Combine(_fleet.Folder, _run, "events.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];

    private FaultFigures Measure(ClientProcess console, double? gap, bool isInWrite)
    {
        if (_victims.Length == 0)
        {
            return new FaultFigures(_kind, null, null, gap, null, null, isInWrite);
        }

        JsonElement? told = Events().Where(Tells).Select(line => (JsonElement?)line).FirstOrDefault();
        return new FaultFigures(
            _kind,
            _kind.Victim == FaultVictim.Server ? null : Seconds(told, "noticedSeconds"),
            Seconds(told, "gapSeconds"),
            gap,
            console.Lines.Where(line => line.At > _struckAt && Tells(JsonDocument.Parse(line.Line).RootElement))
                .Select(line => (double?)Stopwatch.GetElapsedTime(_struckAt, line.At).TotalSeconds).FirstOrDefault(),
            told?.GetProperty("reason").GetString(),
            isInWrite);
    }

    /// <returns>Null for the event of a job that has gone back, which has no such figures; that of lost servers does not tell when they were silent.</returns>
    private static double? Seconds(JsonElement? told, string name) =>
        told is { } change && change.TryGetProperty(name, out JsonElement seconds) ? seconds.GetDouble() : null;

    /// <summary>Whether an event is what the loss of the victims has brought: a change, or the way back to a checkpoint.</summary>
    private bool Tells(JsonElement happened) => happened.GetProperty("event").GetString() switch
    {
        "job.requeued" => _kind.GoesBack,
        "members.changed" => _kind.Victim switch
        {
            FaultVictim.Leader => Gives(happened, $"as silo '{_victims[0]}' is gone"),
            FaultVictim.Server => Gives(happened, $"silo '{_victims[0]}'") && Gives(happened, "on elsewhere"),
            _ => happened.GetProperty("lost").EnumerateArray().Any(worker => _victims.Any(victim => worker.GetString() == $"{victim}/0")),
        },
        _ => false,
    };

    private static bool Gives(JsonElement change, string reason) =>
        change.GetProperty("reason").GetString()!.Contains(reason, StringComparison.Ordinal);
}
