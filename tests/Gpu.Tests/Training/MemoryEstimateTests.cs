using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Training;
using Xunit;

namespace ConvNet.Gpu.Tests.Training;

/// <summary>What is estimated before a job starts against what its steps allocate.</summary>
public sealed class MemoryEstimateTests
{
    private const int Shards = 4;

    [Theory]
    [InlineData(12, """{"type":"conv","out":16,"kernel":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":2,"stride":2}""")]
    [InlineData(6, """{"type":"conv","out":24,"kernel":3,"padding":1},{"type":"conv","out":16,"kernel":3,"padding":1},{"type":"relu"}""")]
    [InlineData(4, """{"type":"conv","out":20,"kernel":5,"padding":2,"bias":true},{"type":"layerNorm"},{"type":"avgPool","size":2,"stride":2}""")]
    [InlineData(8, """{"type":"residual","main":[{"type":"conv","out":3,"kernel":1},{"type":"batchNorm"}]},{"type":"dropout","rate":0.25}""")]
    [InlineData(5, """{"type":"locallyConnected","out":9,"kernel":3},{"type":"instanceNorm"},{"type":"relu"}""")]
    public void An_estimate_is_no_less_than_what_steps_take_and_no_more_than_ten_times_that(int batch, string layers)
    {
        ModelSpec spec = ModelFile.Parse($$"""
            {"name":"n","input":[3,8,8],"layers":[{{layers}},{"type":"flatten"},{"type":"fullyConnected","out":10}]}
            """);
        using var device = KernelDevice.Emulated();
        using var team = new ThreadTeam(1);
        using var runner = new GpuNetwork(new Model(spec, BatchNormMode.Sync), team, device, _ => { });
        var training = new LocalTraining(runner, new Sgd(), seed: 1, Shards);
        runner.Input(batch);

        training.Step(new int[batch], [.. Enumerable.Range(0, batch)]);

        long estimated = MemoryEstimate.Of(runner.Model, batch, Shards) - MemoryEstimate.Margin;
        Assert.InRange(estimated, device.AllocatedBytes, 10 * device.AllocatedBytes);
    }

    [Fact]
    public void A_device_gets_back_what_a_runner_had()
    {
        using var device = KernelDevice.Emulated();
        using var team = new ThreadTeam(1);
        var ended = new List<KernelDevice>();
        ModelSpec spec = ModelFile.Parse(
            """{"name":"n","input":[1,4,4],"layers":[{"type":"conv","out":2,"kernel":3},{"type":"flatten"},{"type":"fullyConnected","out":3}]}""");
        var runner = new GpuNetwork(new Model(spec, BatchNormMode.Sync), team, device, ended.Add);
        runner.Input(2);
        new LocalTraining(runner, new Sgd(), seed: 1).Step([0, 1], [0, 1]);
        Assert.True(device.AllocatedBytes > 0);

        runner.Dispose();

        Assert.Equal([device], ended);
        Assert.Equal(0, device.AllocatedBytes);
    }

    [Fact]
    public void Two_runners_of_one_device_compute_beside_each_other()
    {
        using var device = GpuDevice.Emulated();
        using var team = new ThreadTeam(1);
        ModelSpec spec = ModelFile.Parse("""{"name":"n","input":[1,4,4],"layers":[{"type":"flatten"},{"type":"fullyConnected","out":3}]}""");
        ModelRunner[] runners = [.. Enumerable.Range(0, 2).Select(_ => device.CreateRunner(new Model(spec, BatchNormMode.Sync), team))];
        var losses = new double[2];

        // Each on a thread that has never seen the device.
        Thread[] threads = [.. runners.Select((runner, i) => new Thread(() =>
        {
            runner.Input(2);
            losses[i] = new LocalTraining(runner, new Sgd(), seed: 1).Step([0, 1], [0, 1]).LossSum;
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Array.ForEach(runners, runner => runner.Dispose());

        Assert.True(losses[0] > 0);
        Assert.Equal(losses[0], losses[1]);
    }
}
