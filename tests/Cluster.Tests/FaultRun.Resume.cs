using System.Diagnostics;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>What becomes of runs that have lost their console, and of those that somebody has to resume.</summary>
internal sealed partial class FaultRun
{
    /// <summary>Everything is killed and started again, and a new console resumes the run.</summary>
    private async Task<FaultFigures> CutPowerAsync(ClientProcess console, RowWatch watch, bool isInWrite)
    {
        KillVictims();
        _fleet.Redis.Kill();
        console.Kill();
        foreach (string victim in _victims)
        {
            await EndVictimAsync(victim);
        }

        await _fleet.Redis.StartAsync();
        await _fleet.HealAsync();
        using ClientProcess resumed = _fleet.StartClient("resume", _run, "--json");
        await resumed.EndAsync(0);
        watch.Stop();
        await AssertEndAsync(resumed);
        Assert.Contains("\"event\":\"checkpoint.saved\"", resumed.Output);
        AssertRows(isWhole: false);
        double said = Stopwatch.GetElapsedTime(_struckAt, resumed.Lines[0].At).TotalSeconds;
        return new FaultFigures(_kind, null, null, watch.Longest > 0 ? watch.Longest : null, said, null, isInWrite);
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
}
