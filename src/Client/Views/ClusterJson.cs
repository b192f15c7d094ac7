using System.Text.Json.Nodes;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Views;

/// <summary>A cluster as one JSON object. Scripts rely on the names; fields may be added.</summary>
internal static class ClusterJson
{
    /// <param name="silent">Ids of jobs that do not answer.</param>
    public static JsonObject Of(IReadOnlyList<ClusterSilo> silos, IReadOnlyList<JobStatus> jobs, IReadOnlyList<string> silent)
    {
        ILookup<string, BusyDevice> busy = BusyDevice.Of(jobs).ToLookup(device => device.Silo);
        return new JsonObject
        {
            ["silos"] = Array(silos.Select(silo => Of(silo, busy[silo.Name]))),
            ["jobs"] = Array(jobs.Select(Short).Concat(silent.Select(JobJson.Silent))),
        };
    }

    private static JsonObject Of(ClusterSilo silo, IEnumerable<BusyDevice> busy) => new()
    {
        ["name"] = silo.Name,
        ["address"] = silo.Address,
        ["roles"] = Array(silo.RoleNames().Select(role => JsonValue.Create(role))),
        ["host"] = silo.Host,
        ["state"] = silo.State.ToString().ToLowerInvariant(),
        ["devices"] = silo.Devices,
        ["threads"] = silo.Threads,
        ["computesOn"] = Array(silo.Compute.Split(',').Select(name => JsonValue.Create(name))),
        ["busy"] = Array(busy.Select(device => new JsonObject { ["worker"] = device.Worker, ["jobId"] = device.JobId })),
        ["since"] = silo.Started?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
        ["version"] = silo.Version,
    };

    private static JsonObject Short(JobStatus job) => new()
    {
        ["jobId"] = job.JobId,
        ["state"] = job.State.InWords(),
        ["step"] = job.Step,
        ["totalSteps"] = job.TotalSteps,
        ["model"] = job.Model,
        ["workers"] = job.HasEnded ? 0 : job.Workers.Length,
        ["reason"] = job.Why,
    };

    private static JsonArray Array(IEnumerable<JsonNode> nodes) => [.. nodes];
}
