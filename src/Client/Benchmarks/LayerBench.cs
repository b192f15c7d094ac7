using ConvNet.Engine.Models;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;

namespace ConvNet.Client.Benchmarks;

/// <summary>Trains some steps on random images and measures the parts of each.</summary>
internal static class LayerBench
{
    public static LayerReport Run(Model model, ComputeDevice device, int batch, int threads, int steps)
    {
        using var team = new ThreadTeam(threads);
        using ModelRunner runner = device.CreateRunner(model, team);
        using var worker = new BenchWorker(runner, BenchBatch.Random(model.Spec.Input, model.Classes, batch));
        MachinePeak? peak = device == CpuDevice.Instance ? MachinePeak.Measure(team) : null;
        WarmUp.Run(() => worker.Train());
        var clock = new StepClock(model.Layers.Count);
        runner.Profile = clock;
        for (int i = 0; i < steps; i++)
        {
            clock.Measure(() => worker.Train());
        }

        runner.Profile = null;
        return new LayerReport(model, device, batch, threads, steps, peak, clock);
    }
}
