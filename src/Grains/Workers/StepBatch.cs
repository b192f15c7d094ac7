namespace ConvNet.Grains.Workers;

/// <summary>A worker's samples of one step.</summary>
/// <param name="Samples">Index in the data set of each.</param>
/// <param name="Labels">Class of each.</param>
internal sealed record StepBatch(int[] Samples, int[] Labels);
