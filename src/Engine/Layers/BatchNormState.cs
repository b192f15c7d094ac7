namespace ConvNet.Engine.Layers;

/// <summary>Running statistics of one batch norm, as they stand in a checkpoint; owned by the batch-norm activation of a job.</summary>
/// <param name="Name">The layer's name; the tensors are Name.running_mean and Name.running_var.</param>
public sealed record BatchNormState(string Name, float[] RunningMean, float[] RunningVar)
{
    /// <summary>The state before the first step: mean 0, variance 1.</summary>
    public static BatchNormState Initial(string name, int channels)
    {
        var ones = new float[channels];
        Array.Fill(ones, 1f);
        return new BatchNormState(name, new float[channels], ones);
    }
}
