using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Silos that hold a part of the job's state: their loss ends the job with a true sentence, and resume goes on.</summary>
public sealed class LostServerTests(SiloFleet fleet) : IClassFixture<SiloFleet>
{
    [Fact]
    public async Task A_killed_server_silo_ends_the_job_by_name_and_resume_ends_in_the_same_bits()
    {
        await fleet.HaveWorkersAsync("node-1", "node-2");
        await fleet.StartAsync("server-2", "server");
        string[] job = ["--model", "lenet", "--steps", "200000", "--batch", "96", "--workers", "2", "-s", "checkpoint.everySteps=20"];
        using ClientProcess training = ClientProcess.Start(fleet.Folder, ["train", "--json", .. job, "--cluster", fleet.Url, "--out", "server"]);
        await fleet.RowsAsync("server", 60);
        fleet.Kill("server-2");
        await training.EndAsync(4);

        Assert.Contains("silo 'server-2' has left the cluster while the job was", training.Error);
        Assert.Contains("partition 1, batch norm", training.Error);
        Assert.DoesNotContain("   at ", training.Error + training.Output);
        string checkpoint = Directory.EnumerateDirectories(Path.Combine(fleet.Folder, "server/checkpoints")).Order().Last();
        Assert.Contains(Path.GetFileName(checkpoint), training.Error);

        string end = $"{int.Parse(Path.GetFileName(checkpoint)["step-".Length..]) + 30}";
        using ClientProcess resumed = await ClientProcess.RunAsync(
            0, fleet.Folder, "resume", "server", "--json", "--stop-after", end, "--cluster", fleet.Url);
        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. job, "--stop-after", end, "--out", "alone"]);
        Assert.Equal(alone.StateSha256, JobEnd.Of(resumed).StateSha256);
    }
}
