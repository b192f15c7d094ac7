using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>What the last line of a run says.</summary>
internal sealed record JobEnd(string Event, long Steps, string StateSha256, string Checkpoint, long[] Samples)
{
    public static JobEnd Of(ClientProcess process)
    {
        JsonElement last = process.Events[^1];
        return new JobEnd(
            last.GetProperty("event").GetString()!,
            last.GetProperty("steps").GetInt64(),
            last.GetProperty("stateSha256").GetString()!,
            last.GetProperty("checkpoint").GetString()!,
            [.. last.GetProperty("samplesPerWorker").EnumerateObject().Select(worker => worker.Value.GetInt64())]);
    }

    /// <summary>Trains in a local cluster of a process of its own.</summary>
    public static async Task<JobEnd> TrainAsync(string folder, params string[] args)
    {
        using ClientProcess process = await ClientProcess.RunAsync(0, folder, ["train", "--json", .. args]);
        Assert.Equal("", process.Error);
        return Of(process);
    }
}
