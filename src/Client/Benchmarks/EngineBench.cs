using System.Diagnostics;
using ConvNet.Engine;

namespace ConvNet.Client.Benchmarks;

/// <summary>Images a second.</summary>
internal sealed record EngineRates(double Training, double Evaluation);

/// <summary>Whole training steps of one worker, then evaluation of batches of the same size.</summary>
internal static class EngineBench
{
    private const int WarmUpSteps = 3;

    public static EngineRates Run(ModelSpec model, int batch, int threads, int steps)
    {
        using var team = new ThreadTeam(threads);
        using var network = new Network(model, BatchNormMode.Sync, team);
        var worker = new BenchWorker(network, batch);
        double training = MedianRate(batch, steps, worker.Train);
        worker.PrepareEvaluation();
        return new EngineRates(training, MedianRate(batch, steps, worker.Evaluate));
    }

    private static double MedianRate(int samples, int steps, Action step)
    {
        for (int i = 0; i < WarmUpSteps; i++)
        {
            step();
        }

        double[] seconds = new double[steps];
        for (int i = 0; i < steps; i++)
        {
            long start = Stopwatch.GetTimestamp();
            step();
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(seconds);
        return samples / seconds[steps / 2];
    }
}
