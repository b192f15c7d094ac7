using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;

namespace ConvNet.Grains.Protocol.Partition;

/// <summary>How a partition is doubled: the one that serves forwards what it sums and decides, and the standby follows.</summary>
public sealed partial class PartitionMachine
{
    private PartitionSender? _sender;
    private PartitionReceiver? _receiver;

    /// <summary>True if it follows another one in this generation, and serves nothing but weights that it has.</summary>
    public bool IsStandby => _receiver is not null;

    /// <summary>True if a standby could go on in this partition's place, with the same bits.</summary>
    public bool IsProtected => _sender?.IsProtected == true;

    /// <summary>True if a standby, if there is one, has taken all that is committed here.</summary>
    public bool IsInStep => _sender?.IsInStep != false;

    /// <summary>What the standby is to be told next, or null: nothing now. One message is on its way at a time.</summary>
    public PartitionForward? NextForward() => _fence.IsFrozen || !_restoration.IsComplete ? null : _sender?.Next(_open);

    /// <summary>The floats that travel with the next message; null: none do.</summary>
    public TensorBlock? FloatsOf(PartitionForward forward) => _sender!.FloatsOf(forward, _open);

    /// <summary>The standby has taken a message: look for the report, too, which may have waited for that.</summary>
    public void NoteForwarded(PartitionForward forward) => _sender?.Note(forward);

    /// <summary>Takes, as the standby, what the partition forwards.</summary>
    public Answer Follow(PartitionForward forward, ReadOnlySpan<float> floats)
    {
        if (_fence.Screen(forward.Header) is { } screened)
        {
            return screened;
        }

        if (_receiver is not { } receiver)
        {
            return new Answer(Verdict.Rejected, $"partition {Plan.Partition} is not a standby in generation {Generation}.");
        }

        Answer answer = receiver.Take(forward, floats);
        if (answer.Verdict == Verdict.Accepted)
        {
            _last = forward.Part switch
            {
                ForwardPart.Reset => null,
                ForwardPart.Decision => forward.Decision,
                _ => _last,
            };
        }

        return answer;
    }

    /// <summary>True unless the state is here in part only: of a checkpoint, or, as a standby, of the partition's.</summary>
    internal bool HoldsState => WhyLost() is null;

    private Answer BeginAsStandby(Assignment assignment)
    {
        bool holdsState = _fence.Assignment is not null && HoldsState;
        Answer answer = _fence.BeginAsStandby(assignment);
        if (answer.Verdict == Verdict.Accepted)
        {
            _receiver ??= new PartitionReceiver(state, isWhole: holdsState);
            _receiver.Begin();
            _sender?.Dispose();
            (_sender, _earlier) = (null, null);
            Drop();
        }

        return answer;
    }

    /// <summary>Null unless there is no state here that a generation could go on from.</summary>
    private Answer? WhyLost() => _receiver is { IsWhole: false }
        ? new Answer(Verdict.Rejected, $"the standby of partition {Plan.Partition} was copied in part only.")
        : _restoration.WhyLost();

    /// <summary>The partition serves in this generation.</summary>
    private void Serve(Assignment assignment)
    {
        _receiver = null;
        PartitionSender? before = _sender;
        _sender = null;
        if (assignment.Servers.StandbyOf(Plan.Partition) is { } standby)
        {
            _sender = new PartitionSender(state, assignment, standby, before);
        }
        else
        {
            before?.Dispose();
        }
    }
}
