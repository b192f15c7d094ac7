using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Carries the decisions of a <see cref="CoordinatorMachine"/> to every server, and its progress to the job, as its grain would.</summary>
/// <param name="server">Ends with the job.</param>
internal sealed class SimulatedCoordinator(SimulatedCluster cluster, CoordinatorMachine machine, Life server)
{
    private const int PushPeriod = 250;

    private readonly StepHistory _history = new();
    private TaskCompletionSource _hurry = new();
    private Assignment? _assignment;
    private double? _frozenAt;
    private bool _isPushing;
    private bool _isUrgent;

    public List<StepOutcome> Outcomes { get; private init; } = [];

    /// <summary>Decisions told again to a server that had not committed them when the generation changed.</summary>
    public int Resends { get; private set; }

    /// <summary>Another activation, in which nothing is left of this one but what the test wants to see.</summary>
    public SimulatedCoordinator RestartWith(CoordinatorMachine restored, Life life) =>
        new(cluster, restored, life)
        {
            Outcomes = [.. Outcomes.TakeWhile(outcome => outcome.Decision.Step < restored.Position.Step)],
            Resends = Resends,
        };

    public FrozenAt Freeze(MessageHeader header)
    {
        _frozenAt ??= cluster.Network.Seconds;
        return machine.Freeze(header);
    }

    public Answer Begin(Assignment assignment)
    {
        CoordinatorAnswer begun = machine.Begin(assignment);
        if (begun.Answer.Verdict != Verdict.Accepted)
        {
            return begun.Answer;
        }

        _assignment = assignment;
        if (begun.Committed is { } taken)
        {
            _history.Add(taken, _frozenAt ?? cluster.Network.Seconds);
        }

        _history.Begin(assignment, machine.Committed);
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
        CoordinatorAnswer answer = machine.NotifyAt(header);
        cluster.Counts.Add("order to notify", answer.Answer);
        if (answer.Answer.Verdict == Verdict.Accepted)
        {
            _history.Run(header.Step, cluster.Network.Seconds);
        }

        return CarryOut(answer);
    }

    public Answer Report(WorkerReport report)
    {
        CoordinatorAnswer reply = machine.Report(report);
        cluster.ExpelOnConflict(reply.Answer, report.Header);
        return CarryOut("report of a worker", report.Header, reply);
    }

    public Answer Report(PartitionReport report)
    {
        bool isDecided = report.Header.Step < machine.Position.Step;
        CoordinatorAnswer reply = machine.Report(report);
        cluster.Counts.Add("coordinator: a decided step has other sums", isDecided && reply.Finding is not null ? 1 : 0);
        return CarryOut("report of a partition", report.Header, reply);
    }

    public Answer Report(BatchNormReport report) => CarryOut("report of the batch norms", report.Header, machine.Report(report));

    private Answer CarryOut(string message, MessageHeader header, CoordinatorAnswer answer)
    {
        cluster.Counts.Add(message, answer.Answer);
        cluster.Invariants.Took(cluster.CoordinatorServer, header, answer.Answer);
        return CarryOut(answer);
    }

    private Answer CarryOut(CoordinatorAnswer answer)
    {
        Count(answer);
        if (answer.Committed is { } committed)
        {
            _history.Add(committed, cluster.Network.Seconds);
            cluster.Watch(PushAsync());
        }

        if (answer.Due is not null)
        {
            PushNow();
        }

        if (answer.Resend is { } again)
        {
            Resends += again.Header.Generation > Outcomes[^1].Decision.Header.Generation ? 1 : 0;
            Tell(again);
        }

        if (answer.Decided is { } decided)
        {
            Outcomes.Add(decided);
            Tell(decided.Decision);
            cluster.NoteDecision();
        }

        if (answer.Finding is { } finding)
        {
            MessageHeader header = _assignment!.HeaderOf(machine.Position.Step);
            cluster.Watch(cluster.CallHeadAsync(server, grain => grain.Found(header, finding), SimulatedCluster.IsFinal));
        }

        if (answer.Failure is { } failure)
        {
            cluster.Grain.Fail(failure);
        }

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
        Answer answer = await cluster.Network.CallAsync(
            server, cluster.HostOf(taking), () => cluster.Commit(taking, decision), SimulatedCluster.IsFinal, message).ConfigureAwait(false);
        if (answer.IsRefused)
        {
            cluster.Complain($"commit of step {decision.Step} at server {taking}: {answer.Reason}");
        }

        if (answer.IsAcknowledged)
        {
            CoordinatorAnswer taken = machine.Take(decision.Header, taking);
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
                server, grain => grain.Progress(header, progress), SimulatedCluster.IsFinal, message).ConfigureAwait(false);
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
                cluster.Network.After(server.Host, PushPeriod, () => hurry.TrySetResult());
                await hurry.Task.ConfigureAwait(false);
            }
        }

        _isPushing = false;
    }
}
