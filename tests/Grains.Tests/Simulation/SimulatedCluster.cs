using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.BatchNorm;
using ConvNet.Grains.Protocol.Partition;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>
/// A job on a simulated cluster: the protocol's machines as the grains would host them, fake workers, and a job grain.
/// </summary>
internal sealed class SimulatedCluster
{
    private readonly SplitMix _random;
    private readonly Layout _layout;
    private readonly CoordinatorMachine _coordinator;
    private readonly BatchNormMachine _batchNorm;
    private readonly SimulatedJobGrain _job;
    private readonly Life _server = new();
    private BatchNormReport? _batchNormReport;
    private int _conflictsLeft;
    private int _deathsLeft;

    public SimulatedCluster(FakeModel model, Layout layout, FakeState start, long untilStep, ulong seed)
    {
        Model = model;
        UntilStep = untilStep;
        _layout = layout;
        _random = new SplitMix(seed);
        _conflictsLeft = layout.Conflicts;
        Network = new SimulatedNetwork(_random, layout.Faults, Script);
        Partitions = [.. Enumerable.Range(0, layout.Partitions).Select(
            partition => start.Load(new PartitionPlan(model.Layout, partition, layout.Partitions), Job))];
        _batchNorm = new BatchNormMachine(
            Job.Shape, Job.BatchNorm, Job.Average, start.Statistics, start.Position.Step, start.BatchesSeen);
        _coordinator = new CoordinatorMachine(
            Job.Shape, model.Layout, Job.Optimizer, Job.Schedule, Job.MaxGradientNorm, layout.Partitions, hasBatchNorm: true, start.Position);
        _job = new SimulatedJobGrain(this, _coordinator, _batchNorm, _server, _random);
    }

    public FakeModel Model { get; }

    public FakeJob Job => Model.Job;

    public SimulatedNetwork Network { get; }

    public Script Script { get; } = new();

    public PartitionMachine[] Partitions { get; }

    public long UntilStep { get; }

    public List<StepOutcome> Outcomes { get; } = [];

    public List<string> Complaints { get; } = [];

    public long Generation => _job.Generation;

    /// <summary>The first step of each generation that has begun.</summary>
    public IReadOnlyList<long> FirstSteps => _job.FirstSteps;

    /// <summary>Reasons for which a worker was expelled.</summary>
    public List<string> Quarantined => _job.Quarantined;

    /// <summary>Decisions told again to a server that had not committed them when the generation changed.</summary>
    public int Resends { get; private set; }

    public string? Failure => _coordinator.Failure;

    /// <summary>Runs to <see cref="UntilStep"/> and until no message is on its way.</summary>
    public FakeState Run()
    {
        SynchronizationContext? context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            for (int worker = 0; worker < _layout.Workers; worker++)
            {
                _job.Join();
            }

            _job.Change();
            for (_deathsLeft = _layout.Deaths; _deathsLeft > 1; _deathsLeft--)
            {
                Network.After(_random.Below(100 * _layout.Faults.LongestDelay), _job.Kill);
            }

            for (int i = 0; i < _layout.Joins; i++)
            {
                Network.After(_random.Below(100 * _layout.Faults.LongestDelay), _job.JoinLater);
            }

            if (!Network.Drain())
            {
                Complain($"somebody asks for ever at step {_coordinator.Position.Step} in generation {Generation}");
            }
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }

        return Save();
    }

    /// <summary>Ends the worker with this index in the current assignment.</summary>
    public void Kill(int worker) => _job.Kill(worker);

    public Answer Push(PartitionMachine partition, GradientRoot root, float[] gradient)
    {
        bool complete = partition.Report is not null;
        MessageHeader header = root.Header;
        Answer answer = partition.Push(root, gradient);
        _job.QuarantineOnConflict(answer, header);
        AfterMessage(partition, complete);
        Script.Happens(new SimulatedEvent.Pushed(header.Worker, partition.Plan.Partition, header.Step, header.Generation));
        return answer;
    }

    public ReduceAnswer<Moments> ReduceMoments(NormRoots roots, Moments[] moments)
    {
        ReduceAnswer<Moments> reply = _batchNorm.ReduceMoments(roots, moments);
        _job.QuarantineOnConflict(reply.Answer, roots.Header);
        AfterBatchNorm();
        return reply;
    }

    public ReduceAnswer<BackwardSums> ReduceBackwardSums(NormRoots roots, BackwardSums[] sums)
    {
        ReduceAnswer<BackwardSums> reply = _batchNorm.ReduceBackwardSums(roots, sums);
        _job.QuarantineOnConflict(reply.Answer, roots.Header);
        if (reply.CompletesTree)
        {
            foreach (PartitionMachine partition in Partitions)
            {
                Watch(Network.CallAsync(_server, () => Deliver(partition, roots.Header, roots.Norm, reply.Total!), IsFinal));
            }
        }

        AfterBatchNorm();
        return reply;
    }

    public Answer Report(WorkerReport report)
    {
        CoordinatorAnswer reply = _coordinator.Report(report);
        _job.QuarantineOnConflict(reply.Answer, report.Header);
        Announce(reply);
        return reply.Answer;
    }

    /// <summary>True if this message is to be sent twice with different bytes.</summary>
    public bool TakeConflict(MessageHeader header)
    {
        bool take = _conflictsLeft > 0 && header.Step >= 1 && _job.Alive > 1 && _random.Chance(100);
        _conflictsLeft -= take ? 1 : 0;
        return take;
    }

    public void Complain(string complaint) => Complaints.Add(complaint);

    /// <summary>Complains if the work fails.</summary>
    public void Watch(Task work) =>
        work.ContinueWith(
            done => Complain(done.Exception!.InnerException!.ToString()),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);

    internal static bool IsFinal(Answer answer) => answer.Verdict != Verdict.Future;

    private FakeState Save()
    {
        Complaints.AddRange(Partitions.Where(partition => partition.Version != UntilStep)
            .Select(partition => $"partition {partition.Plan.Partition} ended at version {partition.Version}"));
        if (_batchNorm.Version != UntilStep)
        {
            Complain($"batch norm ended at version {_batchNorm.Version}");
        }

        if (_coordinator.Committed != _coordinator.Position)
        {
            Complain($"step {_coordinator.Committed.Step} is committed, but {_coordinator.Position.Step} is decided");
        }

        MessageHeader end = _job.HeaderOf(UntilStep);
        return new FakeState(
            FakeState.Tensors(Partitions, end, StateSlot.Weights),
            [.. Enumerable.Range(0, Job.Optimizer.SlotNames.Count)
                .Select(slot => FakeState.Tensors(Partitions, end, slot))],
            _batchNorm.Statistics,
            _batchNorm.BatchesSeen,
            _coordinator.Position);
    }

    private Answer Deliver(PartitionMachine partition, MessageHeader header, int norm, BackwardSums totals)
    {
        bool complete = partition.Report is not null;
        Answer answer = partition.Deliver(header, norm, totals);
        AfterMessage(partition, complete);
        return answer;
    }

    private void AfterMessage(PartitionMachine partition, bool wasComplete)
    {
        if (!wasComplete && partition.Report is { } report)
        {
            Watch(AskCoordinatorAsync(() => _coordinator.Report(report)));
        }
    }

    private void AfterBatchNorm()
    {
        if (_batchNorm.Report is { } report && !ReferenceEquals(report, _batchNormReport))
        {
            _batchNormReport = report;
            Watch(AskCoordinatorAsync(() => _coordinator.Report(report)));
        }
    }

    private async Task AskCoordinatorAsync(Func<CoordinatorAnswer> report)
    {
        CoordinatorAnswer reply = await Network.CallAsync(
            _server,
            () =>
            {
                CoordinatorAnswer reply = report();
                Announce(reply);
                return reply;
            },
            reply => IsFinal(reply.Answer)).ConfigureAwait(false);
        // Wrong bytes that arrive before the true ones may complete the sums of a step that runs again; the true ones unmask them.
        bool isUnmasked = reply.Answer.Verdict == Verdict.Conflict && _conflictsLeft < _layout.Conflicts;
        if (reply.Answer.IsRefused && !isUnmasked)
        {
            Complain($"coordinator: {reply.Answer.Reason}");
        }
    }

    public void Announce(CoordinatorAnswer reply)
    {
        if (reply.Failure is not null)
        {
            _job.EndWorkers();
        }

        if (reply.Decided is { } outcome)
        {
            Outcomes.Add(outcome);
            Tell(outcome.Decision);
            if (_deathsLeft > 0 && _random.Chance(500))
            {
                // The worst moment: some servers will have committed the step before the generation changes, others not.
                _deathsLeft--;
                Network.After(1 + _random.Below(_layout.Faults.LongestDelay), _job.Kill);
            }
        }

        if (reply.Resend is { } decision)
        {
            Resends += decision.Header.Generation > Outcomes[^1].Decision.Header.Generation ? 1 : 0;
            Tell(decision);
        }
    }

    private void Tell(StepDecision decision)
    {
        for (int partition = 0; partition < Partitions.Length; partition++)
        {
            PartitionMachine server = Partitions[partition];
            Watch(TellAsync(decision, partition, () => server.Commit(decision)));
        }

        Watch(TellAsync(decision, _coordinator.BatchNormServer, () => CommitBatchNorm(decision)));
    }

    private async Task TellAsync(StepDecision decision, int server, Func<Answer> commit)
    {
        var message = new SimulatedEvent.Committed(server, decision.Step, decision.Header.Generation);
        Answer answer = await Network.CallAsync(
            _server,
            () =>
            {
                Answer answer = commit();
                Script.Happens(message);
                return answer;
            },
            IsFinal,
            message).ConfigureAwait(false);
        if (answer.IsRefused)
        {
            Complain($"commit of step {decision.Step} at server {server}: {answer.Reason}");
        }

        if (answer.IsAcknowledged)
        {
            Announce(_coordinator.Take(decision.Header, server));
        }
    }

    private Answer CommitBatchNorm(StepDecision decision)
    {
        Answer answer = _batchNorm.Commit(decision);
        AfterBatchNorm();
        return answer;
    }
}
