namespace ConvNet.Client.Monitor;

/// <summary>How fast a worker is, and what it spends its time on; the shares are parts of 1 and 0 if nothing is known yet.</summary>
internal readonly record struct WorkerPace(double ImagesPerSecond, double Compute, double BatchNorm, double Push, double Pull);
