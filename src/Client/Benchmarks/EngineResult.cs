namespace ConvNet.Client.Benchmarks;

/// <summary>What one worker does by itself.</summary>
/// <param name="TrainingRate">Images a second.</param>
/// <param name="EvaluationRate">Images a second.</param>
/// <param name="FirstLoss">The mean loss of the first step's batch.</param>
/// <param name="PeakMemory">Bytes of this process in main memory, at most, until the training steps have ended.</param>
internal sealed record EngineResult(double TrainingRate, double EvaluationRate, double FirstLoss, long PeakMemory);
