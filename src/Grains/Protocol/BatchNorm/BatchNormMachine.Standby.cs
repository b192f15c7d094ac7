using ConvNet.Engine.Layers;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.BatchNorm;

/// <summary>How the batch norms are doubled: after each step, the standby gets the running statistics as they are then.</summary>
public sealed partial class BatchNormMachine
{
    private Standby? _standby;
    private long _standbyVersion;
    private bool _isStandby;

    /// <summary>As a standby: the statistics are those of some version, and not what a new machine has.</summary>
    private bool _isWhole;

    /// <summary>True if a standby could go on in this one's place, with the same bits.</summary>
    public bool IsProtected => _standby is not null && _standbyVersion != Standby.Empty;

    /// <summary>True if a standby, if there is one, has taken all that is committed here.</summary>
    public bool IsInStep => _standby is null || _standbyVersion == Version;

    /// <summary>What the standby is to be told next, or null: nothing now.</summary>
    public BatchNormForward? NextForward() => IsInStep || _fence.IsFrozen || !_restoration.IsComplete ? null : new BatchNormForward(
        _fence.Assignment!.HeaderOf(Version),
        BatchesSeen,
        [.. _statistics.SelectMany(norm => norm.RunningMean.Concat(norm.RunningVar))],
        _last);

    /// <summary>The standby has taken a message: look for the report, too, which may have waited for that.</summary>
    public void NoteForwarded(BatchNormForward forward)
    {
        if (forward.Header.Generation == Generation)
        {
            _standbyVersion = Math.Max(_standbyVersion, forward.Header.Step);
        }
    }

    /// <summary>Takes, as the standby, the statistics of a version.</summary>
    public Answer Follow(BatchNormForward forward)
    {
        if (_fence.Screen(forward.Header) is { } screened)
        {
            return screened;
        }

        if (!_isStandby || forward.Statistics.Length != 2 * _statistics.Sum(norm => norm.RunningMean.Length))
        {
            return new Answer(
                Verdict.Rejected, $"batch norm was sent {forward.Statistics.Length} floats of statistics as a standby, which it does not have, or is not.");
        }

        if (_isWhole && forward.Header.Step <= Version)
        {
            return Verdict.AlreadyApplied;
        }

        int offset = 0;
        for (int norm = 0; norm < _statistics.Length; norm++)
        {
            int channels = Channels(norm);
            _statistics[norm] = new BatchNormState(
                _statistics[norm].Name,
                forward.Statistics.AsSpan(offset, channels).ToArray(),
                forward.Statistics.AsSpan(offset + channels, channels).ToArray());
            offset += 2 * channels;
        }

        (Version, BatchesSeen, _last, _isWhole) = (forward.Header.Step, forward.BatchesSeen, forward.Last, true);
        return Verdict.Accepted;
    }

    /// <summary>True unless the statistics are here in part only, or, as a standby, not yet.</summary>
    internal bool HoldsState => WhyLost() is null;

    private Answer BeginAsStandby(Assignment assignment)
    {
        bool holdsState = _fence.Assignment is not null && HoldsState;
        Answer answer = _fence.BeginAsStandby(assignment);
        if (answer.Verdict == Verdict.Accepted)
        {
            _isWhole = holdsState;
            (_isStandby, _standby, _earlier) = (true, null, null);
            (_previous, _current, _complete) = (null, null, null);
        }

        return answer;
    }

    private FrozenAt Answer(FrozenAt frozen) => frozen.Answer.Verdict != Verdict.Accepted ? frozen
        : WhyLost() is { } lost ? FrozenAt.Not(lost)
        : frozen with { Last = _last };

    /// <summary>Null unless there is no state here that a generation could go on from.</summary>
    private Answer? WhyLost() => _isStandby && !_isWhole
        ? new Answer(Verdict.Rejected, "the standby of the batch norms has no statistics yet.")
        : _restoration.WhyLost();

    /// <summary>It serves in this generation.</summary>
    private void Serve(Assignment assignment)
    {
        _isStandby = false;
        _standby = assignment.Servers.StandbyOf(assignment.Servers.BatchNormServer);
        _standbyVersion = _standby?.Version ?? Standby.Empty;
    }
}
