using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <param name="Decided">Set by the message that makes the step decidable: tell everybody.</param>
/// <param name="Resend">Set if some server has missed the last decision: tell everybody again; it does no harm to the others.</param>
/// <param name="Failure">Set when training cannot go on: nothing more will be decided.</param>
public readonly record struct CoordinatorAnswer(
    Answer Answer,
    StepOutcome? Decided = null,
    StepDecision? Resend = null,
    string? Failure = null);
