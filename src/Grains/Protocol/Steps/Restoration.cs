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

    public bool IsComplete => _missing.Count == 0;

    /// <summary>Null unless the state is restored in part only.</summary>
    public Answer? WhyLost() => _missing.Count == 0
        ? null
        : new Answer(Verdict.Rejected, $"{server} was restored in part only (missing parts of the checkpoint: {_missing.Count}).");
}
