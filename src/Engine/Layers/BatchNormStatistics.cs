using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Layers;

/// <summary>How a batch moves the running statistics.</summary>
public static class BatchNormStatistics
{
    /// <summary>Weight of the newest batch in the exponential average.</summary>
    public const double Momentum = 0.1;

    /// <summary>The statistics after one more batch, computed in double; the variance of the batch is the unbiased one.</summary>
    /// <param name="batch">Moments of the global batch.</param>
    /// <param name="batchesSeen">Batches before this one; the cumulative average weighs this one by 1/(batchesSeen + 1).</param>
    public static BatchNormState Update(BatchNormState state, Moments batch, RunningAverage average, long batchesSeen)
    {
        var next = new BatchNormState(state.Name, [.. state.RunningMean], [.. state.RunningVar]);
        UpdateInPlace(next, batch, average, batchesSeen);
        return next;
    }

    /// <summary>The same in the state's own memory.</summary>
    public static void UpdateInPlace(BatchNormState state, Moments batch, RunningAverage average, long batchesSeen)
    {
        double weight = average == RunningAverage.Exponential ? Momentum : 1.0 / (batchesSeen + 1);
        (float[] mean, float[] variance) = (state.RunningMean, state.RunningVar);
        for (int c = 0; c < mean.Length; c++)
        {
            double unbiased = batch.M2[c] / Math.Max(batch.Count - 1, 1);
            mean[c] = (float)((1 - weight) * mean[c] + weight * batch.Mean[c]);
            variance[c] = (float)((1 - weight) * variance[c] + weight * unbiased);
        }
    }
}
