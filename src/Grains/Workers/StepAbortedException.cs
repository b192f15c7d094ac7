namespace ConvNet.Grains.Workers;

/// <summary>Thrown on the engine's thread when this generation has ended: the worker drops the step and waits for new orders.</summary>
internal sealed class StepAbortedException(string message) : Exception(message);
