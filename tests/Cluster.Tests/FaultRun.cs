using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// One job of 1,500 steps, or of more if it loses its client, and one fault at a random moment of it: the job must end in the bits of one process, whatever the fault, and whoever was not
/// hit must be there still. Everything that is random comes from the seed.
/// </summary>
internal sealed class FaultRun
{
    private const int Batch = 96;

    /// <summary>A job waits 10 s for its client, and must not have ended by then; it is stopped some steps after it was resumed.</summary>
    private const int StepsThatOutliveAnyLease = 200_000, StepsResumed = 100;

    private static readonly bool IsFull = Environment.GetEnvironmentVariable("CONVNET_TEST_FULL") is "1";
    private static readonly string[] Job = ["--model", "lenet", "--batch", $"{Batch}", "--data-shards", "6"];
    private static readonly Dictionary<int, Task<JobEnd>> Undisturbed = [];

    private readonly FaultFleet _fleet;
    private readonly FaultKind _kind;
    private readonly string _run;
    private readonly bool _isDetached;
    private readonly string? _victim;
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
        _victim = kind.Victim == FaultVictim.Leader ? FaultFleet.Leader
            : kind.Victim == FaultVictim.Silo ? worker
            : !kind.HitsWorker ? null
            : kind.Action == FaultAction.CutOff ? FaultFleet.Workers[0]
            : worker;

        _steps = kind.Victim == FaultVictim.Client ? StepsThatOutliveAnyLease : 1500;
        _rows = random.Next(10) == 0 ? 0 : random.Next(10, 1400);

        // Nobody finds a cluster whose Redis is silent, and nobody but its client knows of a job before it begins: the job must be there.
        _rows = kind.HitsRedis || kind.Victim == FaultVictim.Client ? Math.Max(1, _rows) : _rows;
        _delay = TimeSpan.FromMilliseconds(random.Next(_rows == 0 ? 3000 : 300));
        double pause = random.NextDouble();
        _pause = TimeSpan.FromSeconds(
            kind.HitsRedis ? (IsFull ? 30 : 6) : kind.Action == FaultAction.CutOff ? 15 : kind.Victim == FaultVictim.Client ? 13 + 4 * pause : 7 + 6 * pause);
        _freezesRedis = kind.Action == FaultAction.Suspend;
    }

    /// <returns>What was measured.</returns>
    public async Task<FaultFigures> RunAsync()
    {
        ClientProcess[] survivors = [.. _fleet.Running.Where(name => name != _victim).Select(_fleet.Silo)];
        ClientProcess? victim = _victim is null ? null : _fleet.Silo(_victim);
        using ClientProcess console = await StartAsync();
        await MomentAsync(console);
        using var watch = new RowWatch(Path.Combine(_fleet.Folder, _run, "metrics.csv"));
        _struckAt = Stopwatch.GetTimestamp();
        if (_kind.Victim is FaultVictim.Client or FaultVictim.Console)
        {
            await HitConsoleAsync(console);
        }
        else
        {
            Task fault = HitClusterAsync();
            await console.EndAsync(0);
            watch.Stop();
            await fault;
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
        if (victim is not null)
        {
            await EndVictimAsync(victim);
        }

        AssertRows();
        return Measure(console, gap);
    }

    private async Task<ClientProcess> StartAsync()
    {
        string[] layout = _kind.Victim == FaultVictim.Silo ? ["-s", "checkpoint.everySteps=50"] : ["-s", "layout.partitions=1"];
        string[] train = ["train", "--json", .. Job, .. layout, "--steps", $"{_steps}", "--workers", "3", "--job", _run, "--out", _run];
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

            if (_victim is not null)
            {
                await Task.Delay(_pause / 3, TestContext.Current.CancellationToken);
                _fleet.Silo(_victim).Kill();
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

        ClientProcess silo = _fleet.Silo(_victim!);
        switch (_kind.Action)
        {
            case FaultAction.Kill:
                silo.Kill();
                break;
            case FaultAction.Terminate:
                silo.Terminate();
                break;
            case FaultAction.CutOff:
                _fleet.Cut(_victim!);
                await Task.Delay(_pause, TestContext.Current.CancellationToken);
                _fleet.Mend(_victim!);
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
    private async Task EndVictimAsync(ClientProcess victim)
    {
        _fleet.Take(_victim!);
        using (victim)
        {
            switch (_kind.Action)
            {
                case FaultAction.Terminate:
                    await victim.EndAsync(143);
                    break;
                case FaultAction.Suspend or FaultAction.CutOff when _kind.Victim != FaultVictim.RedisAndWorker:
                    await victim.EndAsync(4);
                    string error = Assert.Single(victim.Error.Split('\n'), line => line.StartsWith("error: ", StringComparison.Ordinal));
                    Assert.Contains($"silo '{_victim}' ends: the cluster has declared it dead", error);
                    break;
            }
        }
    }

    /// <summary>A console is lost. The job goes on without it, or is orphaned, and somebody resumes it.</summary>
    private async Task HitConsoleAsync(ClientProcess console)
    {
        switch (_kind.Action)
        {
            case FaultAction.Kill:
                console.Kill();
                break;
            case FaultAction.Terminate:
                console.Terminate();
                break;
            default:
                console.Freeze();
                break;
        }

        bool isClient = _kind.Victim == FaultVictim.Client;
        if (_kind.Action == FaultAction.Terminate)
        {
            // Whoever only watches may go; a client saves what its job has reached. A job that was just ending is complete.
            Assert.Contains(await console.EndAsync(), isClient ? (int[])[143] : [130, 143, 0]);
        }
        else if (_kind.Wakes)
        {
            await Task.Delay(_pause, TestContext.Current.CancellationToken);
            console.Thaw();
        }

        using ClientProcess waiting = await JobAsync("wait");
        int code = await waiting.EndAsync();
        if (!isClient)
        {
            Assert.Equal(0, code);
            if (_kind.Wakes)
            {
                await console.EndAsync(0);
                await AssertEndAsync(console);
            }

            return;
        }

        if (_kind.Wakes)
        {
            Assert.Equal(code, await console.EndAsync());
            Assert.Single(console.Error.Split('\n'), line => line.StartsWith("error: ", StringComparison.Ordinal));
        }
        else if (!console.HasExited)
        {
            console.Kill();
            await console.EndAsync();
        }

        if (_kind.Action == FaultAction.Terminate)
        {
            Assert.Contains(code, new[] { 0, 4 });
        }
        else
        {
            Assert.Equal(4, code);
            Assert.Contains($"Go on with 'convnet job attach {_run}'", waiting.Error);
        }

        _steps = SavedStep() + StepsResumed;
        using ClientProcess resumed = _fleet.StartClient("resume", _run, "--json", "--workers", "3", "--stop-after", $"{_steps}");
        await resumed.EndAsync(0);
        await AssertEndAsync(resumed, "run.stopped");
    }

    private int SavedStep() =>
        Directory.GetDirectories(Path.Combine(_fleet.Folder, _run, "checkpoints"), "step-*").Max(folder => int.Parse(folder[^8..], CultureInfo.InvariantCulture));

    private async Task AssertEndAsync(ClientProcess process, string @event = "run.completed")
    {
        JobEnd end = JobEnd.Of(process);
        JobEnd alone = @event == "run.completed" ? await AloneAsync(_steps)
            : await TrainAsync("--steps", $"{StepsThatOutliveAnyLease}", "--stop-after", $"{_steps}");
        Assert.Equal((alone.StateSha256, (long)_steps, @event), (end.StateSha256, end.Steps, end.Event));
    }

    /// <summary>Each step stands once in the metrics, in order, and none is missing unless its client did not live to write it.</summary>
    private void AssertRows()
    {
        int[] steps =
        [
            .. File.ReadLines(Path.Combine(_fleet.Folder, _run, "metrics.csv")).Where(row => row.Contains(",train,", StringComparison.Ordinal))
                .Select(row => int.Parse(row.Split(',')[0])),
        ];
        Assert.Equal(_kind.Victim == FaultVictim.Client ? steps.Distinct().Order() : Enumerable.Range(1, _steps), steps);
        Assert.All(
            Events().Where(line => line.GetProperty("event").GetString() == "members.changed"),
            change => Assert.InRange(change.GetProperty("stepsRepeated").GetInt32(), 0, 1));
    }

    private JsonElement[] Events() =>
        [.. File.ReadLines(Path.Combine(_fleet.Folder, _run, "events.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];

    private FaultFigures Measure(ClientProcess console, double? gap)
    {
        if (_victim is null)
        {
            return new FaultFigures(_kind, null, null, gap, null, null);
        }

        JsonElement[] told = [.. Events().Where(Tells)];
        return new FaultFigures(
            _kind,
            told.Select(line => (double?)line.GetProperty("noticedSeconds").GetDouble()).FirstOrDefault(),
            told.Select(line => (double?)line.GetProperty("gapSeconds").GetDouble()).FirstOrDefault(),
            gap,
            console.Lines.Where(line => line.At > _struckAt && Tells(JsonDocument.Parse(line.Line).RootElement))
                .Select(line => (double?)Stopwatch.GetElapsedTime(_struckAt, line.At).TotalSeconds).FirstOrDefault(),
            told.Select(line => line.GetProperty("reason").GetString()).FirstOrDefault());
    }

    /// <summary>Whether an event is the change that the loss of the victim has brought.</summary>
    private bool Tells(JsonElement happened) => happened.GetProperty("event").GetString() == "members.changed"
        && (_kind.Victim == FaultVictim.Leader
            ? happened.GetProperty("reason").GetString()!.Contains($"as silo '{_victim}' is gone", StringComparison.Ordinal)
            : happened.GetProperty("lost").EnumerateArray().Any(worker => worker.GetString() == $"{_victim}/0"));

    private static Task<JobEnd> AloneAsync(int steps)
    {
        lock (Undisturbed)
        {
            return Undisturbed.TryGetValue(steps, out Task<JobEnd>? known) ? known : Undisturbed[steps] = TrainAsync("--steps", $"{steps}");
        }
    }

    private static async Task<JobEnd> TrainAsync(params string[] until)
    {
        using var folder = new TemporaryFolder();
        return await JobEnd.TrainAsync(folder.Path, [.. Job, .. until, "--workers", "1"]);
    }
}
