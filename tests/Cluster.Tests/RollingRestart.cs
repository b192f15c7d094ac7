using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A job on three silos with all roles while they are emptied, lost and started again.</summary>
internal sealed partial class RollingRestart : IDisposable
{
    private const int Batch = 24;
    private const string EmptyingText = "silo (is being|was) (stopped|drained)|' is being (stopped|drained): |has handed it on$";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>More steps than will be done: the job is stopped when all silos are there again.</summary>
    private static readonly string[] Job = ["--model", "lenet", "--batch", $"{Batch}", "--data-shards", "6", "--steps", "1000000", "--workers"];

    private readonly AllRolesFleet _fleet;
    private readonly string _run;
    private readonly ClientProcess _training;

    private RollingRestart(AllRolesFleet fleet, string run, ClientProcess training) => (_fleet, _run, _training) = (fleet, run, training);

    /// <summary>Trains until the job is protected.</summary>
    public static async Task<RollingRestart> BeginAsync(AllRolesFleet fleet, string run)
    {
        await fleet.HealAsync();
        ClientProcess training = fleet.StartClient(["train", "--json", .. Job, "3", "--job", run, "--out", run, "-s", "checkpoint.everySteps=100"]);
        var restart = new RollingRestart(fleet, run, training);
        await restart.RestoredAsync();
        return restart;
    }

    /// <summary>Waits until the job has all its workers, and each server a standby that could take its place.</summary>
    public async Task RestoredAsync()
    {
        using var deadline = new CancellationTokenSource(Patience);
        await _fleet.RowsAsync(_run, 20, _training);
        while (true)
        {
            JsonElement job = await ShowAsync();
            if (job.GetProperty("protected").GetBoolean() && job.GetProperty("workers").GetArrayLength() == 3)
            {
                return;
            }

            Assert.False(deadline.IsCancellationRequested, $"the job is not whole again: {job}{_training.Error}");
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until the job's console has told something.</summary>
    public Task SaysAsync(string text) => _training.SaysAsync(text);

    public async Task<ClientProcess> DrainAsync(int exitCode, string silo, params string[] more)
    {
        ClientProcess drain = _fleet.StartClient(["cluster", "drain", silo, .. more]);
        await drain.EndAsync(exitCode);
        return drain;
    }

    /// <summary>The job, as 'job show' tells it.</summary>
    public async Task<JsonElement> ShowAsync()
    {
        using ClientProcess show = _fleet.StartClient("job", "show", _run, "--json");
        await show.EndAsync(0);
        return show.Events[0];
    }

    /// <summary>
    /// Stops the job, which has computed no step again for the silos that were emptied. Other changes may have cost one: on a busy machine, somebody
    /// who does not answer for some seconds is lost.
    /// </summary>
    /// <param name="emptied">How many silos were.</param>
    public async Task EndAsync(int emptied)
    {
        JsonElement[] changes = await StopAsync();
        Assert.Empty(Events("job.requeued"));
        Assert.DoesNotContain(changes, change => Clauses(change).Any(clause => FoundAnew().IsMatch(clause)));
        JsonElement[] orderly = [.. changes.Where(change => Array.TrueForAll(Clauses(change), clause => Orderly().IsMatch(clause)))];
        int emptying = orderly.Count(change => Clauses(change).Any(Emptying().IsMatch));
        Assert.True(emptying >= emptied, $"{emptying} changes for {emptied} silos that were emptied: {_training.Output}");
        Assert.All(orderly, change => AssertRepeats(0, change));
    }

    /// <summary>Stops the job, which has lost silos, too: each change has cost one step at most.</summary>
    /// <param name="mayGoBack">The job may have gone back to its checkpoint instead.</param>
    public async Task EndAfterKillsAsync(bool mayGoBack = false)
    {
        Assert.NotEmpty(await StopAsync());
        Assert.True(mayGoBack || Events("job.requeued").Length == 0, _training.Output);
    }

    public void Dispose() => _training.Dispose();

    /// <summary>Stops the job, whose bits must be those of one process until there.</summary>
    /// <returns>The changes of its members, none of which has repeated more than one step.</returns>
    private async Task<JsonElement[]> StopAsync()
    {
        _training.Terminate();
        await _training.EndAsync(143);
        JobEnd end = JobEnd.Of(_training);
        JobEnd alone = await JobEnd.TrainAsync(_fleet.Folder, [.. Job, "1", "--stop-after", $"{end.Steps}"]);
        Assert.Equal((alone.StateSha256, alone.Steps), (end.StateSha256, end.Steps));
        Assert.Equal(end.Steps * Batch, end.Samples.Sum());
        JsonElement[] changes = Events("members.changed");
        Assert.All(changes, change => AssertRepeats(1, change));
        return changes;
    }

    private static void AssertRepeats(int most, JsonElement change) =>
        Assert.True(change.GetProperty("stepsRepeated").GetInt32() <= most, $"more than {most}: {change}");

    private static string[] Clauses(JsonElement change) => change.GetProperty("reason").GetString()!.Split("; ");

    private JsonElement[] Events(string name) => [.. _training.Events.Where(line => line.GetProperty("event").GetString() == name)];

    /// <summary>A silo is left, or has handed the job on.</summary>
    [GeneratedRegex(EmptyingText)]
    private static partial Regex Emptying();

    /// <summary>The same, or the job takes on what is there.</summary>
    [GeneratedRegex($"{EmptyingText}| was free$|^standbys of .* begin on ")]
    private static partial Regex Orderly();

    /// <summary>The job has lost the silo that led it, which was to hand it on.</summary>
    [GeneratedRegex("^the job is led by .* is gone$|, which leads the job, was started again$")]
    private static partial Regex FoundAnew();
}
