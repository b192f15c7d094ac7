using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>
/// What a server that starts from a checkpoint has not been given of it. Until nothing is missing, it holds no state that a generation
/// could go on from.
/// </summary>
/// <typeparam name="TPart">Names what one message installs.</typeparam>
/// <param name="server">For errors.</param>
internal sealed class Restoration<TPart>(string server)
{
    private readonly HashSet<TPart> _missing = [];

    /// <summary>Null if the generation may begin; it may not go on from a state that is restored in part.</summary>
    public Answer? ScreenBegin(Assignment assignment) => assignment.Start == AssignmentStart.GoOn ? WhyLost() : null;

    /// <summary>A generation has begun.</summary>
    /// <param name="parts">All that a checkpoint gives this server.</param>
    public void Begin(Assignment assignment, IEnumerable<TPart> parts)
    {
        _missing.Clear();
        if (assignment.Start == AssignmentStart.Restore)
        {
            _missing.UnionWith(parts);
        }
    }

    public void NoteInstalled(TPart part) => _missing.Remove(part);

    /// <summary>What the server says when it is frozen.</summary>
    public FrozenAt Answer(FrozenAt frozen) => frozen.Answer.Verdict == Verdict.Accepted && WhyLost() is { } lost ? FrozenAt.Not(lost) : frozen;

    private Answer? WhyLost() => _missing.Count == 0
        ? null
        : new Answer(Verdict.Rejected, $"{server} was restored in part only (missing parts of the checkpoint: {_missing.Count}).");
}
