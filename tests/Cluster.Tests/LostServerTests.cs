using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Silos that hold a part of the job's state: without it the job goes back to its last checkpoint, by itself.</summary>
public sealed class LostServerTests(SiloFleet fleet) : IClassFixture<SiloFleet>
{
    [Fact]
    public async Task A_job_whose_server_silo_is_killed_goes_back_to_its_checkpoint_and_ends_in_the_same_bits()
    {
        await fleet.HaveWorkersAsync("node-1", "node-2");
        await fleet.StartAsync("server-2", "server");
        string[] job = ["--model", "lenet", "--steps", "600", "--batch", "96", "--workers", "2", "-s", "checkpoint.everySteps=20"];
        using ClientProcess training = ClientProcess.Start(fleet.Folder, ["train", "--json", .. job, "--cluster", fleet.Url, "--out", "server"]);
        await fleet.RowsAsync("server", 60);
        fleet.Kill("server-2");
        await training.EndAsync(0);

        JsonElement back = Assert.Single(training.Events, line => line.GetProperty("event").GetString() == "job.requeued");
        Assert.Contains("silo 'server-2' has left the cluster while the job was", back.GetProperty("reason").GetString());
        Assert.Contains("partition 1, batch norm; the job goes back to step", back.GetProperty("reason").GetString());
        Assert.Single(training.Events, line => line.GetProperty("event").GetString() == "job.resumed");
        JobEnd end = JobEnd.Of(training);
        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. job, "--out", "alone"]);
        Assert.Equal((alone.StateSha256, 600), (end.StateSha256, end.Steps));
        Assert.Equal(600 * 96, end.Samples.Sum());
        int[] steps = [.. File.ReadLines(Path.Combine(fleet.Folder, "server/metrics.csv")).Where(row => row.Contains(",train,", StringComparison.Ordinal))
            .Select(row => int.Parse(row.Split(',')[0]))];
        Assert.Equal(Enumerable.Range(1, 600), steps);
    }
}
