using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;

namespace ConvNet.Grains.Protocol.Partition;

/// <summary>
/// What a partition sends its standby, one message after the other: the state in pieces if the standby has none, then each summed chunk and
/// each decision. Keeps the sums of one step that is committed until the standby has them, too. Pure; not thread-safe.
/// </summary>
/// <remarks>
/// The state is copied chunk by chunk, each with all its slots at the version at which both stand; from then on it takes part in every step: so
/// training goes on meanwhile, and nothing has to be caught up with. No step ends within a chunk, as its weights would be updated with slots that are
/// not there yet.
/// </remarks>
internal sealed class PartitionSender : IDisposable
{
    /// <summary>Pieces of the state in a row, before gradients come first again: training waits for them.</summary>
    private const int PiecesInARow = 8;

    private readonly PartitionState _state;
    private readonly Assignment _assignment;
    private readonly Queue<(int Slot, int Chunk)> _pieces = [];
    private readonly HashSet<int> _taken = [];
    private bool _resets;
    private long _wholeFrom = Standby.Empty;
    private int _inARow;
    private bool _isInChunk;
    private StagedStep? _kept;
    private StepDecision? _decision;

    /// <param name="standby">As the assignment names it.</param>
    /// <param name="before">Of the generation before, if there was one for the same standby: its sums may still be needed.</param>
    public PartitionSender(PartitionState state, Assignment assignment, Standby standby, PartitionSender? before)
    {
        (_state, _assignment) = (state, assignment);
        StandbyVersion = standby.Version;
        if (standby.Version == state.Version - 1 && before?._decision is { } missing)
        {
            (_kept, _decision) = (before._kept, missing);
            before._kept = null;
        }
        else if (standby.Version != state.Version)
        {
            _resets = true;
        }

        before?.Dispose();
    }

    /// <summary>Steps that the standby is known to have taken.</summary>
    public long StandbyVersion { get; private set; }

    /// <summary>The standby has taken all that is committed here: the open step may be reported, and end.</summary>
    public bool IsInStep => HasCaughtUp && !_isInChunk;

    /// <summary>The standby can take the partition's place: it holds the whole state, and the version before as well.</summary>
    public bool IsProtected => !_resets && _pieces.Count == 0 && StandbyVersion > _wholeFrom;

    private bool HasCaughtUp => !_resets && StandbyVersion == _state.Version;

    /// <summary>The next message, or null as long as there is none. It stays the next one until <see cref="Note"/>.</summary>
    /// <param name="open">The open step; null: nothing has come of it.</param>
    public PartitionForward? Next(StagedStep? open)
    {
        if (_resets)
        {
            return new PartitionForward(_assignment.HeaderOf(_state.Version), ForwardPart.Reset);
        }

        bool mayCopy = HasCaughtUp && _pieces.Count > 0;
        if (mayCopy && (_isInChunk || _inARow < PiecesInARow))
        {
            return Piece();
        }

        StagedStep? step = _decision is null ? open : _kept;
        foreach (Chunk chunk in step is null ? [] : _state.Plan.Chunks)
        {
            if (!_taken.Contains(chunk.Index) && step!.IsSummed(chunk))
            {
                return new PartitionForward(_assignment.HeaderOf(StandbyVersion), ForwardPart.Gradient, Chunk: chunk.Index);
            }
        }

        if (_decision is { } decision)
        {
            return new PartitionForward(_assignment.HeaderOf(StandbyVersion), ForwardPart.Decision, Decision: decision);
        }

        return mayCopy ? Piece() : null;
    }

    /// <summary>The floats that travel with a message; null: none do.</summary>
    /// <param name="open">The open step.</param>
    public TensorBlock? FloatsOf(PartitionForward forward, StagedStep? open)
    {
        switch (forward.Part)
        {
            case ForwardPart.State:
                // A copy: the next step overwrites slots in place.
                float[] floats = _state.Read(forward.Slot, _state.Plan.Chunks[forward.Chunk]).ToArray();
                return new TensorBlock(floats, 0, floats.Length);
            case ForwardPart.Gradient:
                // The array is used for something else only when the standby takes no gradient of this step any more.
                return (_decision is null ? open : _kept)!.SumOf(_state.Plan.Chunks[forward.Chunk]);
            default:
                return null;
        }
    }

    /// <summary>The standby has taken a message of this generation.</summary>
    public void Note(PartitionForward forward)
    {
        if (forward.Header.Generation != _assignment.Generation)
        {
            return;
        }

        switch (forward.Part)
        {
            case ForwardPart.Reset when _resets:
                _resets = false;
                StandbyVersion = forward.Header.Step;
                _wholeFrom = forward.Header.Step;
                foreach ((int slot, int chunk) in _state.Plan.Chunks.SelectMany(chunk => _state.Slots.Select(slot => (slot, chunk.Index))))
                {
                    _pieces.Enqueue((slot, chunk));
                }

                break;
            case ForwardPart.State when _pieces.TryPeek(out (int, int) piece) && piece == (forward.Slot, forward.Chunk):
                _pieces.Dequeue();
                _isInChunk = _pieces.TryPeek(out (int, int Chunk) next) && next.Chunk == forward.Chunk;
                _inARow++;
                _wholeFrom = forward.Header.Step;
                break;
            case ForwardPart.Gradient when forward.Header.Step == StandbyVersion:
                _taken.Add(forward.Chunk);
                _inARow = 0;
                break;
            case ForwardPart.Decision when forward.Header.Step == StandbyVersion:
                StandbyVersion++;
                _kept?.Dispose();
                (_kept, _decision, _inARow) = (null, null, 0);
                _taken.Clear();
                break;
        }
    }

    /// <summary>The partition has taken a decision: its sums are kept until the standby has done the same.</summary>
    /// <param name="step">Taken over; null: there was nothing to sum.</param>
    public void Keep(StepDecision decision, StagedStep? step) => (_decision, _kept) = (decision, step);

    public void Dispose()
    {
        _kept?.Dispose();
        _kept = null;
    }

    private PartitionForward Piece()
    {
        (int slot, int chunk) = _pieces.Peek();
        _isInChunk = true;
        return new PartitionForward(_assignment.HeaderOf(_state.Version), ForwardPart.State, slot, chunk);
    }
}
