using System.Diagnostics;
using ConvNet.Engine.Training;

namespace ConvNet.Client.Benchmarks;

/// <summary>Whole training steps of one worker, then evaluation of the same batch.</summary>
internal static class EngineBench
{
    /// <param name="weights">A file of weights to start with, or null for random ones.</param>
    public static EngineResult Run(ModelRunner runner, BenchBatch batch, string? weights, int steps)
    {
        using var worker = new BenchWorker(runner, batch);
        if (weights is not null)
        {
            worker.Load(weights);
        }

        double firstLoss = worker.Train();
        double training = batch.Count / MedianSeconds(steps, () => worker.Train());
        long memory = PeakMemory();
        worker.PrepareEvaluation();
        double evaluation = batch.Count / MedianSeconds(steps, worker.Evaluate);
        return new EngineResult(training, evaluation, firstLoss, memory);
    }

    private static double MedianSeconds(int steps, Action step)
    {
        WarmUp.Run(step);
        double[] seconds = new double[steps];
        for (int i = 0; i < steps; i++)
        {
            long start = Stopwatch.GetTimestamp();
            step();
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(seconds);
        return (seconds[(steps - 1) / 2] + seconds[steps / 2]) / 2;
    }

    /// <summary>VmHWM of Linux.</summary>
    private static long PeakMemory()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
