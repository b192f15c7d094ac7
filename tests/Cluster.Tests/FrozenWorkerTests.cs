using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A worker silo that stops answering without ending, as a machine does that swaps or is cut off.</summary>
public sealed class FrozenWorkerTests(RedisFleet fleet) : IClassFixture<RedisFleet>
{
    private static readonly string[] Job = ["--model", "lenet", "--batch", "96", "--data-shards", "6", "--steps", "200000"];

    [Fact]
    public async Task A_silo_that_does_not_answer_is_replaced_and_has_no_effect_when_it_wakes_up()
    {
        await fleet.HaveWorkersAsync("node-1", "node-2", "node-3");
        using ClientProcess training = ClientProcess.Start(
            fleet.Folder, ["train", "--json", .. Job, "--workers", "3", .. fleet.ClusterOptions, "--out", "frozen"]);
        await fleet.RowsAsync("frozen", 50);
        int silo = fleet.Silo("node-2").Id;
        ClientProcess.Send(silo, ClientProcess.SigStop);
        try
        {
            await training.SaysAsync("\"lost\":[\"node-2/0\"]");
        }
        finally
        {
            ClientProcess.Send(silo, ClientProcess.SigCont);
        }

        await fleet.RowsAsync("frozen", fleet.Rows("frozen") + 300);
        training.Terminate();
        await training.EndAsync(143);

        JsonElement change = Assert.Single(training.MemberChanges);
        Assert.Matches("^node-2/0 has not answered for [0-9.]+ s$", change.GetProperty("reason").GetString());
        Assert.InRange(change.GetProperty("stepsRepeated").GetInt32(), 0, 1);
        JobEnd end = JobEnd.Of(training);
        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. Job, "--workers", "1", "--stop-after", $"{end.Steps}", "--out", "alone"]);
        Assert.Equal((alone.StateSha256, alone.Steps), (end.StateSha256, end.Steps));
    }
}
