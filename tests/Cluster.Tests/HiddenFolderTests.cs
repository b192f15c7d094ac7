using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

public sealed class HiddenFolderTests(HiddenFolderFleet fleet) : IClassFixture<HiddenFolderFleet>
{
    private static readonly string[] Job = ["--model", "lenet", "--batch", "96", "--steps", "1500", "--workers", "1"];

    [Fact]
    public async Task A_run_has_its_checkpoints_although_the_silo_that_shares_its_folder_is_lost_before_the_first_of_them()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        Assert.SkipUnless(SeparateDisks.CanSeparate, "needs the right to make a mount namespace");
        using ClientProcess training = ClientProcess.Start(
            fleet.Clients, ["train", "--json", .. Job, .. fleet.ClusterOptions, "--out", "run", "--job", "hidden"]);
        await fleet.RowsAsync("clients/run", 20, training);
        Assert.Empty(SeparateDisks.CheckpointsIn(Path.Combine(fleet.Clients, "run/checkpoints")));
        fleet.Kill(HiddenFolderFleet.Seeing);
        await training.EndAsync(0);

        JsonElement[] sinceLoss = [.. training.Events.SkipWhile(line => !TellsOfLoss(line))];
        string[] saved =
        [
            .. sinceLoss.Where(line => line.GetProperty("event").GetString() == "checkpoint.saved").Select(line => line.GetProperty("path").GetString()!),
        ];
        Assert.True(saved.Length >= 2, $"the console has told of {saved.Length} checkpoints since the silo was lost: {training.Output}");
        JobEnd alone = await JobEnd.TrainAsync(fleet.Clients, [.. Job, "--out", "alone"]);
        Assert.Equal(alone.StateSha256, JobEnd.Of(training).StateSha256);
        Assert.Equal(Path.Combine(fleet.Clients, "run/checkpoints/step-00001500"), JobEnd.Of(training).Checkpoint);
        using ClientProcess verified = await ClientProcess.RunAsync(0, fleet.Clients, "checkpoint", "verify", "run");
        Assert.Equal(
            saved.TakeLast(2),
            SeparateDisks.CheckpointsIn(Path.Combine(fleet.Clients, "run/checkpoints")).TakeLast(2)
                .Select(name => Path.Combine(fleet.Clients, "run/checkpoints", name)));
    }

    /// <summary>Whether the job has noticed that the silo is lost.</summary>
    private static bool TellsOfLoss(JsonElement line) => line.GetProperty("event").GetString() is "members.changed" or "warning"
        && line.ToString().Contains(HiddenFolderFleet.Seeing, StringComparison.Ordinal);
}
