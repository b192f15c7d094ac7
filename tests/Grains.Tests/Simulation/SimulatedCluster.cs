using ConvNet.Engine.Reduction;
using ConvNet.Grains.Protocol;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>
/// A job on a simulated cluster: the protocol's machines as the grains would host them, fake workers, and a job grain that
/// starts a new generation whenever the workers change.
/// </summary>
internal sealed class SimulatedCluster
{
    private readonly SplitMix _random;
    private readonly Layout _layout;
    private readonly CoordinatorMachine _coordinator;
    private readonly BatchNormMachine _batchNorm;
    private readonly Life _server = new();
    private readonly List<(string Name, int Incarnation)> _alive = [];
    private readonly List<Life> _lives = [];
    private BatchNormReport? _batchNormReport;
    private long _generation;
    private int _born;
    private int _conflictsLeft;
    private int _deathsLeft;
    private bool _isChanging;
    private bool _mustChangeAgain;

    public SimulatedCluster(FakeModel model, Layout layout, FakeState start, long untilStep, ulong seed)
    {
        Model = model;
        UntilStep = untilStep;
        _layout = layout;
        _random = new SplitMix(seed);
        _conflictsLeft = layout.Conflicts;
        Network = new SimulatedNetwork(_random, layout.Faults);
        Partitions = [.. Enumerable.Range(0, layout.Partitions).Select(partition => Load(new PartitionPlan(model.Layout, partition, layout.Partitions), start))];
        _batchNorm = new BatchNormMachine(
            Job.Shape, Job.BatchNorm, Job.Average, start.Statistics, start.Coordinator.Step, start.BatchesSeen);
        _coordinator = new CoordinatorMachine(
            Job.Shape, model.Layout, Job.Optimizer, Job.Schedule, Job.MaxGradientNorm, layout.Partitions, hasBatchNorm: true, start.Coordinator);
    }

    public FakeModel Model { get; }

    public FakeJob Job => Model.Job;

    public SimulatedNetwork Network { get; }

    public PartitionMachine[] Partitions { get; }

    public long UntilStep { get; }

    public List<StepOutcome> Outcomes { get; } = [];

    public List<string> Complaints { get; } = [];

    public long Generation => _generation;

    public List<string> Quarantined { get; } = [];

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
                Join();
            }

            Change();
            for (_deathsLeft = _layout.Deaths; _deathsLeft > 1; _deathsLeft--)
            {
                Network.After(_random.Below(100 * _layout.Faults.LongestDelay), Kill);
            }

            for (int i = 0; i < _layout.Joins; i++)
            {
                Network.After(_random.Below(100 * _layout.Faults.LongestDelay), JoinLater);
            }

            if (!Network.Drain())
            {
                Complain($"somebody asks for ever at step {_coordinator.State.Step} in generation {_generation}");
            }
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }

        return Save();
    }

    public Answer Push(PartitionMachine partition, MessageHeader header, int chunk, TreeNode node, float[] gradient)
    {
        bool complete = partition.Report is not null;
        Answer answer = partition.Push(header, chunk, node, gradient);
        QuarantineOnConflict(answer, header);
        AfterMessage(partition, complete);
        return answer;
    }

    public ReduceAnswer<Moments> ReduceMoments(MessageHeader header, int norm, Moments[] roots)
    {
        ReduceAnswer<Moments> reply = _batchNorm.ReduceMoments(header, norm, roots);
        QuarantineOnConflict(reply.Answer, header);
        AfterBatchNorm();
        return reply;
    }

    public ReduceAnswer<BackwardSums> ReduceBackwardSums(MessageHeader header, int norm, BackwardSums[] roots)
    {
        ReduceAnswer<BackwardSums> reply = _batchNorm.ReduceBackwardSums(header, norm, roots);
        QuarantineOnConflict(reply.Answer, header);
        if (reply.CompletesTree)
        {
            foreach (PartitionMachine partition in Partitions)
            {
                Watch(Network.CallAsync(_server, () => Deliver(partition, header, norm, reply.Total!), IsFinal));
            }
        }

        AfterBatchNorm();
        return reply;
    }

    public Answer Report(WorkerReport report)
    {
        CoordinatorAnswer reply = _coordinator.Report(report);
        QuarantineOnConflict(reply.Answer, report.Header);
        Announce(reply);
        return reply.Answer;
    }

    /// <summary>True if this message is to be sent twice with different bytes.</summary>
    public bool TakeConflict(MessageHeader header)
    {
        bool take = _conflictsLeft > 0 && header.Step >= 1 && _alive.Count > 1 && _random.Chance(100);
        _conflictsLeft -= take ? 1 : 0;
        return take;
    }

    public void Complain(string complaint) => Complaints.Add(complaint);

    private static bool IsFinal(Answer answer) => answer.Verdict != Verdict.Future;

    private PartitionMachine Load(PartitionPlan plan, FakeState start)
    {
        return new PartitionMachine(
            plan, Job.Shape, Job.Optimizer, start.Coordinator.Step, Local(start.Weights), [.. start.Slots.Select(Local)]);

        float[] Local(float[][] tensors)
        {
            var local = new float[plan.Length];
            for (int tensor = 0; tensor < tensors.Length; tensor++)
            {
                plan.Gather(tensor, tensors[tensor], local);
            }

            return local;
        }
    }

    private FakeState Save()
    {
        Complaints.AddRange(Partitions.Where(partition => partition.Version != UntilStep)
            .Select(partition => $"partition {partition.Plan.Partition} ended at version {partition.Version}"));
        if (_batchNorm.Version != UntilStep)
        {
            Complain($"batch norm ended at version {_batchNorm.Version}");
        }

        return new FakeState(
            Tensors(partition => partition.Weights),
            [.. Enumerable.Range(0, Job.Optimizer.SlotNames.Count).Select(slot => Tensors(partition => partition.Slot(slot)))],
            _batchNorm.Statistics,
            _batchNorm.BatchesSeen,
            _coordinator.State);
    }

    private float[][] Tensors(StorageOf storage)
    {
        float[][] tensors = [.. Model.Layout.Tensors.Select(tensor => new float[tensor.Count])];
        foreach (PartitionMachine partition in Partitions)
        {
            for (int tensor = 0; tensor < tensors.Length; tensor++)
            {
                partition.Plan.Scatter(tensor, storage(partition), tensors[tensor]);
            }
        }

        return tensors;
    }

    private Answer Deliver(PartitionMachine partition, MessageHeader header, int norm, BackwardSums totals)
    {
        bool complete = partition.Report is not null;
        Answer answer = partition.Deliver(header.Generation, header.Step, norm, totals);
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
        if (reply.Answer.Verdict is Verdict.Rejected or Verdict.Conflict)
        {
            Complain($"coordinator: {reply.Answer.Reason}");
        }
    }

    private void Announce(CoordinatorAnswer reply)
    {
        if (reply.Failure is not null)
        {
            _lives.ForEach(life => life.End());
        }

        if (reply.Decided is { } outcome)
        {
            Outcomes.Add(outcome);
            Tell(outcome.Decision);
            if (_deathsLeft > 0 && _random.Chance(500))
            {
                // The worst moment: some servers will have committed the step before the generation changes, others not.
                _deathsLeft--;
                Network.After(1 + _random.Below(_layout.Faults.LongestDelay), Kill);
            }
        }

        if (reply.Resend is { } decision)
        {
            Resends += decision.Generation > Outcomes[^1].Decision.Generation ? 1 : 0;
            Tell(decision);
        }
    }

    private void Tell(StepDecision decision)
    {
        foreach (PartitionMachine partition in Partitions)
        {
            Watch(Network.CallAsync(_server, () => partition.Commit(decision), IsFinal));
        }

        Watch(Network.CallAsync(_server, () => CommitBatchNorm(decision), IsFinal));
    }

    private Answer CommitBatchNorm(StepDecision decision)
    {
        Answer answer = _batchNorm.Commit(decision);
        AfterBatchNorm();
        return answer;
    }

    private void Watch(Task work) =>
        work.ContinueWith(
            done => Complain(done.Exception!.InnerException!.ToString()),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);

    private void Join() => _alive.Add(($"node-{_born}/0", ++_born));

    private void JoinLater()
    {
        if (_alive.Count < Job.Shape.Shards && _coordinator.State.Step < UntilStep)
        {
            Join();
            Change();
        }
    }

    private void Kill()
    {
        if (_alive.Count > 1)
        {
            Remove(_alive[_random.Below(_alive.Count)].Name);
        }
    }

    private void QuarantineOnConflict(Answer answer, MessageHeader header)
    {
        if (answer.Verdict == Verdict.Conflict && header.Generation == _coordinator.Generation)
        {
            string name = Current!.Workers[header.Worker].Name;
            if (_alive.Any(worker => worker.Name == name))
            {
                Quarantined.Add(answer.Reason!);
                Remove(name);
            }
        }
    }

    private Assignment? Current { get; set; }

    private void Remove(string name)
    {
        int index = Current is null ? -1 : Current.Workers.Select(worker => worker.Name).ToList().IndexOf(name);
        if (index >= 0 && index < _lives.Count)
        {
            _lives[index].End();
        }

        _alive.RemoveAll(worker => worker.Name == name);
        Change();
    }

    private void Change()
    {
        _mustChangeAgain = _isChanging;
        if (!_isChanging)
        {
            _isChanging = true;
            Watch(ChangeAsync());
        }
    }

    /// <summary>The job grain's part of a change of workers: stop deciding, ask for versions, begin everywhere, start the workers.</summary>
    private async Task ChangeAsync()
    {
        _coordinator.Pause();
        var versions = new List<Task<long>> { Network.CallAsync(_server, () => _batchNorm.Version, _ => true) };
        versions.AddRange(Partitions.Select(partition => Network.CallAsync(_server, () => partition.Version, _ => true)));
        long? firstStep = _coordinator.FirstStepOf(await Task.WhenAll(versions).ConfigureAwait(false));
        if (firstStep is not { } first)
        {
            Complain($"versions {string.Join(", ", versions.Select(version => version.Result))} cannot go on from {_coordinator.State.Step}");
            return;
        }

        _lives.ForEach(life => life.End());
        _lives.Clear();
        Assignment assignment = Assignment.Create(
            ++_generation, Job.Shape.Shards, [.. _alive.Select(worker => (worker.Name, worker.Incarnation, 1.0 + _random.Below(3)))]);
        Current = assignment;
        Expect(_coordinator.Begin(assignment, first));
        foreach (PartitionMachine partition in Partitions)
        {
            Watch(BeginAsync(() => partition.Begin(assignment, first)));
        }

        Watch(BeginAsync(() => _batchNorm.Begin(assignment, first)));
        for (int worker = 0; worker < assignment.Workers.Count; worker++)
        {
            var life = new Life();
            _lives.Add(life);
            Watch(new FakeWorker(this, assignment, worker, life).RunAsync(first));
        }

        _isChanging = false;
        if (_mustChangeAgain)
        {
            Change();
        }
    }

    private async Task BeginAsync(Func<Answer> begin) => Expect(await Network.CallAsync(_server, begin, IsFinal).ConfigureAwait(false));

    private void Expect(Answer answer)
    {
        if (answer.Verdict == Verdict.Rejected)
        {
            Complain($"begin: {answer.Reason}");
        }
    }

    private delegate ReadOnlySpan<float> StorageOf(PartitionMachine partition);
}
