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
            NoteCommitted(before);
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
            NoteCommitted(taken);
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
        if (answer.Answer.Verdict == Verdict.Accepted)
        {
            _history.Run(header.Step, cluster.Network.Seconds);
        }

        return CarryOut(answer);
    }

    public Answer Report(WorkerReport report)
    {
        CoordinatorAnswer reply = _machine.Report(report);
        cluster.Grain.QuarantineOnConflict(reply.Answer, report.Header);
        return CarryOut(report.Header, reply);
    }

    public Answer Report(PartitionReport report) => CarryOut(report.Header, _machine.Report(report));

    public Answer Report(BatchNormReport report) => CarryOut(report.Header, _machine.Report(report));

    /// <summary>As the standby, takes what the coordinator knows.</summary>
    public Answer Follow(CoordinatorForward forward)
    {
        Answer answer = _machine.Follow(forward);
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

        Answer answer = await cluster.CallAsync(server, standby, copy => copy.Host!.Follow(forward)).ConfigureAwait(false);
        if (!server.IsTaken(answer))
        {
            return false;
        }

        _history.NoteForwarded(forward.Progress);
        CarryOut(_machine.NoteForwarded(forward));
        return true;
    }

    private Answer CarryOut(MessageHeader header, CoordinatorAnswer answer)
    {
        cluster.Invariants.Took(server.Key, header, answer.Answer);
        return CarryOut(answer);
    }

    private Answer CarryOut(CoordinatorAnswer answer)
    {
        if (answer.Committed is { } committed)
        {
            NoteCommitted(committed);
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
            cluster.NoteDecision(decided);
            Tell(decided.Decision);
        }

        if (answer.Finding is { } finding)
        {
            MessageHeader header = _assignment!.HeaderOf(_machine.Position.Step);
            cluster.Watch(cluster.Network.CallAsync(server.Life, () => cluster.Grain.Found(header, finding), SimulatedCluster.IsFinal));
        }

        if (answer.Failure is { } failure)
        {
            cluster.Grain.Fail(failure);
        }

        server.AfterMessage();
        return answer.Answer;
    }

    private void NoteCommitted(StepOutcome outcome)
    {
        if (!server.Life.IsOver)
        {
            cluster.CommittedStep = Math.Max(cluster.CommittedStep, outcome.Position.Step);
        }
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
            server, server.Assignment!.Servers.KeyOf(taking), copy => copy.Commit(decision), message).ConfigureAwait(false);
        if (answer.IsRefused)
        {
            cluster.Complain($"commit of step {decision.Step} at server {taking}: {answer.Reason}");
        }

        if (answer.IsAcknowledged)
        {
            CarryOut(_machine.Take(decision.Header, taking));
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
            Answer answer = await cluster.Network.CallAsync(
                server.Life, () => cluster.Grain.Progress(header, progress), SimulatedCluster.IsFinal, message).ConfigureAwait(false);
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
                cluster.Network.After(PushPeriod, () => hurry.TrySetResult());
                await hurry.Task.ConfigureAwait(false);
            }
        }

        _isPushing = false;
    }
}
