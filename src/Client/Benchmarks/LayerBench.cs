using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;

namespace ConvNet.Client.Benchmarks;

/// <summary>Trains some steps on random images and measures the parts of each.</summary>
internal static class LayerBench
{
    private const int WarmUpSteps = 2;

    public static LayerReport Run(ModelSpec model, int batch, int threads, int steps)
    {
        using var team = new ThreadTeam(threads);
        using var network = new Network(model, BatchNormMode.Sync, team);
        var worker = new BenchWorker(network, BenchBatch.Random(model.Input, network.Classes, batch));
        MachinePeak peak = MachinePeak.Measure(team);
        for (int i = 0; i < WarmUpSteps; i++)
        {
            worker.Train();
        }

        var clock = new StepClock(network.Layers.Count);
        network.Profile = clock;
        for (int i = 0; i < steps; i++)
        {
            clock.Measure(() => worker.Train());
        }

        return new LayerReport(model, network.Layers, batch, threads, steps, peak, clock);
    }
}
