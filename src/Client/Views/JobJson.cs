using System.Text.Json.Nodes;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Views;

/// <summary>A job as one JSON object. Scripts rely on the names; fields may be added.</summary>
internal static class JobJson
{
    public static JsonObject Of(JobStatus job) => new()
    {
        ["jobId"] = job.JobId,
        ["state"] = job.State.InWords(),
        ["step"] = job.Step,
        ["totalSteps"] = job.TotalSteps,
        ["model"] = job.Model,
        ["data"] = job.Data,
        ["workers"] = new JsonArray([.. job.Workers.Select(worker => new JsonObject
        {
            ["name"] = worker.Name,
            ["silo"] = PinnedKey.SiloOf(worker.Name),
            ["shards"] = new JsonArray([.. Enumerable.Range(worker.FirstShard, worker.EndShard - worker.FirstShard).Select(shard => JsonValue.Create(shard))]),
            ["step"] = worker.Step,
        })]),
        ["servers"] = new JsonArray([.. job.Servers.Select(server => new JsonObject
        {
            ["role"] = server.Role,
            ["silo"] = server.Silo,
            ["standby"] = server.Standby,
        })]),
        ["protected"] = job.IsProtected,
        ["generation"] = job.Generation,
        ["reason"] = job.Why,
        ["runFolder"] = job.RunFolder,
        ["checkpointCache"] = job.Checkpoints is { IsCache: true } place ? new JsonObject { ["silo"] = place.Silo, ["path"] = place.Folder } : null,
        ["priority"] = job.Priority,
        ["queuePosition"] = job.QueuePosition,
    };

    /// <summary>A job of which only the id is known.</summary>
    public static JsonObject Silent(string id) => new() { ["jobId"] = id, ["state"] = null, ["reason"] = "does not answer" };
}
