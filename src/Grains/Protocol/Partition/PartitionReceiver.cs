using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Partition;

/// <summary>
/// What the standby of a partition makes of the partition's messages: the same state, by the same updates, at most one step behind. Pure; not
/// thread-safe.
/// </summary>
/// <param name="isWhole">False: what the state holds is of no use before it has been copied.</param>
internal sealed class PartitionReceiver(PartitionState state, bool isWhole)
{
    private readonly HashSet<(int Slot, int Chunk)> _missing = [];
    private readonly HashSet<int> _taken = [];
    private float[] _sums = [];
    private long _resetIn;
    private bool _wasWhole = isWhole;
    private bool _isReset;

    /// <summary>
    /// True if the state is complete and the version before is readable, too: another server may be one step behind when this one takes its
    /// partition's place.
    /// </summary>
    public bool IsWhole => _wasWhole || (_isReset && _missing.Count == 0 && state.Oldest < state.Version);

    /// <summary>A generation has begun: gradients of the open step come again.</summary>
    public void Begin() => _taken.Clear();

    /// <param name="floats">What travels with the message. Copied.</param>
    public Answer Take(PartitionForward forward, ReadOnlySpan<float> floats)
    {
        if (forward.Part == ForwardPart.Reset)
        {
            return Reset(forward.Header);
        }

        if ((!_isReset && !_wasWhole) || forward.Header.Step > state.Version)
        {
            return Verdict.Future;
        }

        if (forward.Header.Step < state.Version)
        {
            return Verdict.AlreadyApplied;
        }

        if (forward.Part == ForwardPart.Decision)
        {
            return Decide(forward.Decision);
        }

        if (WhyInvalid(forward, floats.Length) is { } complaint)
        {
            return new Answer(Verdict.Rejected, $"the standby of partition {state.Plan.Partition} was sent {complaint}.");
        }

        Chunk chunk = state.Plan.Chunks[forward.Chunk];
        if (forward.Part == ForwardPart.State)
        {
            if (!_missing.Remove((forward.Slot, forward.Chunk)))
            {
                return Verdict.Duplicate;
            }

            state.Install(forward.Slot, chunk, floats);
            return Verdict.Accepted;
        }

        if (!_taken.Add(forward.Chunk))
        {
            return Verdict.Duplicate;
        }

        if (_sums.Length == 0)
        {
            _sums = new float[state.Plan.Length];
        }

        floats.CopyTo(_sums.AsSpan(chunk.Offset, chunk.Length));
        return Verdict.Accepted;
    }

    /// <summary>Once in a generation: a late repeat must not undo what has followed.</summary>
    private Answer Reset(MessageHeader header)
    {
        if (_resetIn == header.Generation)
        {
            return Verdict.Duplicate;
        }

        _resetIn = header.Generation;
        (_isReset, _wasWhole) = (true, false);
        state.Restart(header.Step);
        _taken.Clear();
        _missing.Clear();
        _missing.UnionWith(state.Plan.Chunks.SelectMany(chunk => state.Slots.Select(slot => (slot, chunk.Index))));
        return Verdict.Accepted;
    }

    private Answer Decide(StepDecision? decision)
    {
        if (decision is null || (!decision.IsSkip && _taken.Count < state.Plan.Chunks.Length))
        {
            return Verdict.Future;
        }

        state.Advance(decision.Settings, visit =>
        {
            foreach (Chunk chunk in state.Plan.Chunks)
            {
                visit(chunk.FirstBlock, _sums.AsSpan(chunk.Offset, chunk.Length));
            }
        });
        _taken.Clear();
        return Verdict.Accepted;
    }

    private string? WhyInvalid(PartitionForward forward, int length)
    {
        if ((uint)forward.Chunk >= (uint)state.Plan.Chunks.Length || (forward.Part == ForwardPart.State && !state.HasSlot(forward.Slot)))
        {
            return $"chunk {forward.Chunk} of slot {forward.Slot}, but there are {state.Plan.Chunks.Length} chunks";
        }

        int expected = state.Plan.Chunks[forward.Chunk].Length;
        return length == expected ? null : $"{length} floats for chunk {forward.Chunk}, which has {expected}";
    }
}
