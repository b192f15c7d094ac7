namespace ConvNet.Grains.Metering;

/// <summary>How a job fares.</summary>
/// <param name="TrainLoss">Mean over the epoch in progress so far.</param>
/// <param name="TrainAccuracy">Share of correct samples of the epoch in progress so far.</param>
/// <param name="TestLoss">Of the last evaluation; null before.</param>
/// <param name="TestAccuracy">Of the last evaluation; null before.</param>
/// <param name="LearningRate">Of the last step.</param>
/// <param name="GradientNorm">Of the last step, before clipping.</param>
/// <param name="SavedAt">When its last checkpoint was written, as <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>; null before.</param>
public sealed record JobFigures(
    double TrainLoss, double TrainAccuracy, double? TestLoss, double? TestAccuracy, double LearningRate, double GradientNorm, long? SavedAt);
