using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Carries the decisions of a <see cref="CoordinatorMachine"/> to every server, and its progress to the job, as its grain would.</summary>
internal sealed class SimulatedCoordinator(SimulatedCluster cluster, SimulatedServer server)
{
    private const int PushPeriod = 250;

    private readonly CoordinatorMachine _machine = server.Coordinator!;
    private readonly StepHistory _history = new();
    private TaskCompletionSource _hurry = new();
    private Assignment? _assignment;
    private double? _frozenAt;
    private bool _isPushing;
    private bool _isUrgent;

    public FrozenAt Freeze(MessageHeader header)
    {
        _frozenAt ??= cluster.Network.Seconds;
        return _machine.Freeze(header);
    }

    public Answer Begin(Assignment assignment, bool asStandby)
    {
        if (!asStandby && assignment.Generation > _machine.Generation && _machine.Learn(assignment.Missed) is { } before)
        {
            cluster.NoteCommitted(server, before);
            _history.Add(before, _frozenAt ?? cluster.Network.Seconds);
        }

        CoordinatorAnswer begun = _machine.Begin(assignment, asStandby);
        if (begun.Answer.Verdict != Verdict.Accepted)
        {
            return begun.Answer;
        }

        _assignment = assignment;
        if (asStandby)
        {
            return begun.Answer;
        }

        if (begun.Committed is { } taken)
        {
            cluster.NoteCommitted(server, taken);
            _history.Add(taken, _frozenAt ?? cluster.Network.Seconds);
        }

        _history.Begin(assignment, _machine.Committed);
        _frozenAt = null;
        if (_history.HasNews)
        {
            PushNow();
        }

        return CarryOut(begun with { Committed = null });
    }

    public StepProgress Progress() => _history.Progress();

    public Answer NotifyAt(MessageHeader header)
    {
        CoordinatorAnswer answer = _machine.NotifyAt(header);
        cluster.Counts.Add("order to notify", answer.Answer);
        if (answer.Answer.Verdict == Verdict.Accepted)
        {
            _history.Run(header.Step, cluster.Network.Seconds);
        }

        return CarryOut(answer);
    }

    public Answer Report(WorkerReport report)
    {
        CoordinatorAnswer reply = _machine.Report(report);
        cluster.ExpelOnConflict(reply.Answer, report.Header);
        return CarryOut("report of a worker", report.Header, reply);
    }

    public Answer Report(PartitionReport report)
    {
        bool isDecided = report.Header.Step < _machine.Position.Step;
        CoordinatorAnswer reply = _machine.Report(report);
        cluster.Counts.Add("coordinator: a decided step has other sums", isDecided && reply.Finding is not null ? 1 : 0);
        return CarryOut("report of a partition", report.Header, reply);
    }

    public Answer Report(BatchNormReport report) => CarryOut("report of the batch norms", report.Header, _machine.Report(report));

    /// <summary>As the standby, takes what the coordinator knows.</summary>
    public Answer Follow(CoordinatorForward forward)
    {
        Answer answer = cluster.Counts.Add("position for a standby", _machine.Follow(forward));
        cluster.Invariants.Took(server.Key, forward.Header, answer);
        if (answer.Verdict == Verdict.Accepted)
        {
            _history.Follow(forward.Progress, cluster.Network.Seconds);
        }

        return answer;
    }

    /// <returns>False if there is nothing to forward, or the standby takes no more.</returns>
    public async Task<bool> ForwardAsync(string standby)
    {
        if (_machine.NextForward(() => _history.Unforwarded()) is not { } forward)
        {
            return false;
        }

        Answer answer = await cluster.CallAsync(
            server.Life, standby, copy => copy.Messenger!.Follow(forward), SimulatedCluster.IsFinal).ConfigureAwait(false);
        if (!server.IsTaken(answer))
        {
            return false;
        }

        _history.NoteForwarded(forward.Progress);
        CarryOut(_machine.NoteForwarded(forward));
        return true;
    }

    private Answer CarryOut(string message, MessageHeader header, CoordinatorAnswer answer)
    {
        cluster.Counts.Add(message, answer.Answer);
        cluster.Invariants.Took(server.Key, header, answer.Answer);
        return CarryOut(answer);
    }

    private Answer CarryOut(CoordinatorAnswer answer)
    {
        Count(answer);
        if (answer.Committed is { } committed)
        {
            cluster.NoteCommitted(server, committed);
            _history.Add(committed, cluster.Network.Seconds);
            cluster.Watch(PushAsync());
        }

        if (answer.Due is not null)
        {
            PushNow();
        }

        if (answer.Resend is { } again)
        {
            cluster.NoteResend(again);
            Tell(again);
        }

        if (answer.Decided is { } decided)
        {
            Tell(decided.Decision);
            cluster.NoteDecision(decided);
        }

        if (answer.Finding is { } finding)
        {
            MessageHeader header = _assignment!.HeaderOf(_machine.Position.Step);
            cluster.Watch(cluster.CallHeadAsync(server.Life, grain => grain.Found(header, finding), SimulatedCluster.IsFinal));
        }

        if (answer.Failure is { } failure)
        {
            cluster.Grain.Fail(failure);
        }

        server.AfterMessage();
        return answer.Answer;
    }

    private void Count(CoordinatorAnswer answer)
    {
        cluster.Counts.Add("coordinator: a step is committed", answer.Committed is null ? 0 : 1);
        cluster.Counts.Add("coordinator: a step is decided", answer.Decided is { Decision.IsSkip: false } ? 1 : 0);
        cluster.Counts.Add("coordinator: a step is skipped", answer.Decided is { Decision.IsSkip: true } ? 1 : 0);
        cluster.Counts.Add("coordinator: a decision is told again", answer.Resend is null ? 0 : 1);
        cluster.Counts.Add("coordinator: the job is told that its steps are committed", answer.Due is null ? 0 : 1);
        cluster.Counts.Add("coordinator: a step is to be computed again", answer.Finding is { Expelled: null } ? 1 : 0);
        cluster.Counts.Add("coordinator: a worker is to be expelled", answer.Finding is { Expelled: not null } ? 1 : 0);
        cluster.Counts.Add("coordinator: training cannot go on", answer.Failure is null ? 0 : 1);
    }

    private void Tell(StepDecision decision)
    {
        foreach (int taking in Enumerable.Range(0, cluster.CoordinatorServer))
        {
            cluster.Watch(TellAsync(decision, taking));
        }
    }

    private async Task TellAsync(StepDecision decision, int taking)
    {
        var message = new SimulatedEvent.Committed(taking, decision.Step, decision.Header.Generation);
        Answer answer = await cluster.CallAsync(
            server.Life, server.Assignment!.Servers.KeyOf(taking), copy => copy.Commit(decision), SimulatedCluster.IsFinal, message).ConfigureAwait(false);
        if (answer.IsRefused)
        {
            cluster.Complain($"commit of step {decision.Step} at server {taking}: {answer.Reason}");
        }

        if (answer.IsAcknowledged)
        {
            CoordinatorAnswer taken = _machine.Take(decision.Header, taking);
            cluster.Counts.Add("acknowledged decision", taken.Answer);
            CarryOut(taken);
        }
    }

    private void PushNow()
    {
        _isUrgent = true;
        _hurry.TrySetResult();
        cluster.Watch(PushAsync());
    }

    /// <summary>Tells the job, one message at a time, until it has acknowledged all of it.</summary>
    private async Task PushAsync()
    {
        if (_isPushing)
        {
            return;
        }

        _isPushing = true;
        while (_isUrgent || _history.HasNews)
        {
            _isUrgent = false;
            StepProgress progress = _history.Unacknowledged();
            MessageHeader header = _assignment!.HeaderOf(progress.Position.Step);
            var message = new SimulatedEvent.Told(header.Step, header.Generation);
            Answer answer = await cluster.CallHeadAsync(
                server.Life, grain => grain.Progress(header, progress), SimulatedCluster.IsFinal, message).ConfigureAwait(false);
            if (answer.IsAcknowledged)
            {
                _history.Acknowledge(progress);
            }
            else if (!_isUrgent)
            {
                break;
            }

            if (!_isUrgent)
            {
                TaskCompletionSource hurry = _hurry = new TaskCompletionSource();
                cluster.Network.After(server.Life.Host, PushPeriod, () => hurry.TrySetResult());
                await hurry.Task.ConfigureAwait(false);
            }
        }

        _isPushing = false;
    }
}
