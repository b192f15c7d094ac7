using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A job on three silos with all roles while they are emptied, lost and started again.</summary>
internal sealed class RollingRestart : IDisposable
{
    private const int Batch = 96;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>More steps than will be done: the job is stopped when all silos are there again.</summary>
    private static readonly string[] Job = ["--model", "lenet", "--batch", $"{Batch}", "--data-shards", "6", "--steps", "40000", "--workers"];

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

    /// <summary>Stops the job, whose bits must be those of one process until there.</summary>
    /// <param name="mostRepeated">Steps that one change may have repeated.</param>
    /// <param name="mayGoBack">To its checkpoint.</param>
    public async Task EndAsync(int mostRepeated, bool mayGoBack = false)
    {
        _training.Terminate();
        await _training.EndAsync(143);
        JobEnd end = JobEnd.Of(_training);
        JobEnd alone = await JobEnd.TrainAsync(_fleet.Folder, [.. Job, "1", "--stop-after", $"{end.Steps}"]);
        Assert.Equal((alone.StateSha256, alone.Steps), (end.StateSha256, end.Steps));
        Assert.Equal(end.Steps * Batch, end.Samples.Sum());
        Assert.True(mayGoBack || Events("job.requeued").Length == 0, _training.Output);
        JsonElement[] changes = Events("members.changed");
        Assert.NotEmpty(changes);
        Assert.All(changes, change => Assert.True(change.GetProperty("stepsRepeated").GetInt32() <= mostRepeated, $"{change}"));
    }

    public void Dispose() => _training.Dispose();

    private JsonElement[] Events(string name) => [.. _training.Events.Where(line => line.GetProperty("event").GetString() == name)];
}
