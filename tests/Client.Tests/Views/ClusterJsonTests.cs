using ConvNet.Client.Views;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Client.Tests.Views;

public sealed class ClusterJsonTests
{
    [Fact]
    public void A_cluster_in_json_has_the_fields_that_scripts_rely_on()
    {
        JobStatus running = ShownRun.Status(7) with { JobId = "a", Workers = [new WorkerStatus("node-1/1", 0, 4, 7, 1, 1, 1, 1, 1)] };
        ClusterSilo silo = new("node-1", "10.0.0.1:11111", true, true, 2, 4, "0.1.0+abc", DateTimeOffset.FromUnixTimeSeconds(1_700_000_000))
        {
            Host = "rack-1",
            State = SiloState.Drained,
            Compute = "gpu:0,cpu",
        };

        Assert.Equal(
            """
            {"silos":[{"name":"node-1","address":"10.0.0.1:11111","roles":["worker","server"],"host":"rack-1","state":"drained","devices":2,"threads":4,
            "computesOn":["gpu:0","cpu"],"busy":[{"worker":"node-1/1","jobId":"a"}],"since":"2023-11-14T22:13:20Z","version":"0.1.0\u002Babc"}],
            "jobs":[{"jobId":"a","state":"running","step":7,"totalSteps":40,"model":"fashion-cnn","workers":1,"reason":null},
            {"jobId":"b","state":"completed","step":7,"totalSteps":40,"model":"fashion-cnn","workers":0,"reason":null},
            {"jobId":"c","state":null,"reason":"does not answer"}]}
            """.ReplaceLineEndings(""),
            ClusterJson.Of([silo], [running, running with { JobId = "b", State = JobState.Completed }], ["c"]).ToJsonString());
    }
}
