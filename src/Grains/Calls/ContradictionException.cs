using ConvNet.Engine.Errors;

namespace ConvNet.Grains.Calls;

/// <summary>A server refuses a message because the same sender has sent it before with other bytes.</summary>
internal sealed class ContradictionException(string message) : ConvNetException(ExitCode.TrainingFailed, message);
