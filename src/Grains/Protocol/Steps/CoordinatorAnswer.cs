using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <param name="Committed">Set by the message after which every server has taken the last decision.</param>
/// <param name="Decided">Set by the message that makes the step decidable: tell everybody.</param>
/// <param name="Resend">Set if some server has missed the last decision: tell everybody again; it does no harm to the others.</param>
/// <param name="Due">Set when the steps that the job grain asked to be told of are committed: tell it.</param>
/// <param name="Finding">Set by the message that shows that the step is not to be decided as it is: tell the job grain.</param>
/// <param name="Failure">Set when training cannot go on: nothing more will be decided.</param>
public readonly record struct CoordinatorAnswer(
    Answer Answer,
    StepOutcome? Committed = null,
    StepOutcome? Decided = null,
    StepDecision? Resend = null,
    MessageHeader? Due = null,
    string? Failure = null,
    StepFinding? Finding = null);
