using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>What must hold at every moment of a simulated job, whatever happens to it; it complains of what does not.</summary>
/// <param name="reference">Null: not compared.</param>
internal sealed class JobInvariants(SimulatedCluster cluster, FakeReference? reference)
{
    private readonly Dictionary<string, long> _promised = [];
    private readonly Dictionary<long, Assignment> _issued = [];
    private readonly Dictionary<long, Assignment> _owners = [];
    private readonly List<JobOrder> _orders = [];
    private readonly HashSet<string> _told = [];

    /// <summary>
    /// A store that has lost what it told was kept may have the job begin again what is begun, and forget what was told. The bits are right even so, or the job
    /// ends with a sentence.
    /// </summary>
    private readonly bool _isForgetful = cluster.Layout.LostWrites > 0;

    private string[]? _firstWorkers;

    /// <summary>Its place is given up by whoever leads it, for good or until it takes another one.</summary>
    private bool _isReleased;
    private long _releasedIn;

    /// <summary>The same by anybody who has led it.</summary>
    private bool _isFree;
    private int _changes;

    public void Promised(string server, long generation, FrozenAt frozen)
    {
        if (frozen.Answer.Verdict == Verdict.Accepted)
        {
            long before = _promised.GetValueOrDefault(server);
            Demand(generation >= before, $"server {server} promises generation {generation} after {before}");
            _promised[server] = generation;
        }
    }

    public void Begun(string server, Assignment assignment, Answer answer)
    {
        Demand(_isForgetful || _issued.GetValueOrDefault(assignment.Generation) == assignment, $"generation {assignment.Generation} begins, which the job has not issued");
        Demand(cluster.Store.HasKept(assignment.Generation), $"generation {assignment.Generation} begins, which was never kept");
        if (answer.Verdict == Verdict.Accepted)
        {
            long promised = _promised.GetValueOrDefault(server);
            Demand(assignment.Generation >= promised, $"server {server} begins generation {assignment.Generation} after it has promised {promised}");
            _promised[server] = assignment.Generation;
        }
    }

    /// <summary>A server has answered a message that may change its state.</summary>
    public void Took(string server, MessageHeader header, Answer answer)
    {
        long promised = _promised.GetValueOrDefault(server);
        Demand(
            _isForgetful || answer.Verdict != Verdict.Accepted || header.Generation == promised,
            $"server {server} has taken a message of generation {header.Generation} about step {header.Step}, but has promised {promised}");
    }

    /// <summary>A server, or its standby, has come to another version.</summary>
    public void Applied(SimulatedServer server)
    {
        long[] versions = cluster.Versions();
        Demand(versions.Max() - versions.Min() <= 1, $"no step is a valid first one of the next generation: versions {string.Join(", ", versions)}");
        if (reference is null || !server.HoldsState)
        {
            return;
        }

        FakeState expected = reference.States[server.Version];
        if (server.BatchNorm is { } batchNorm)
        {
            Demand(
                expected.Statistics.Zip(batchNorm.Statistics).All(pair =>
                    pair.First.RunningMean.SequenceEqual(pair.Second.RunningMean) && pair.First.RunningVar.SequenceEqual(pair.Second.RunningVar)),
                $"the running statistics of {server.Key} have other bits in version {server.Version}");
        }
        else if (server.Partition is { } partition)
        {
            MessageHeader header = server.Assignment!.HeaderOf(server.Version);
            foreach (int slot in Enumerable.Range(StateSlot.Weights, expected.Slots.Length + 1))
            {
                float[] local = expected.PartOf(partition.Plan, slot);
                Demand(
                    partition.Plan.Chunks.All(chunk => partition.Read(header, slot, chunk.Index).Values!.Span
                        .SequenceEqual(local.AsSpan(chunk.Offset, chunk.Length))),
                    $"partition {server.Key} has other bits in slot {slot} of version {server.Version}");
            }
        }
    }

    public void Saved(FakeState state) => Demand(
        reference is null || state.Hash() == reference.States[state.Position.Step].Hash(),
        $"the checkpoint of version {state.Position.Step} is not that version");

    /// <param name="leads">False for a grain that another one has followed: it may still end what it has begun.</param>
    public void Commanded(JobCommand command, JobMachine machine, bool leads)
    {
        cluster.Counts.Add($"command: {command.GetType().Name}");
        cluster.Network.Tell(() => $"the job, {machine.State} at step {machine.Step}, commands {command}");
        _isFree &= !leads || command is not JobCommand.Start;

        // A newer generation that was written down before another grain followed is a place, whoever starts it: that one goes on from there.
        _isReleased &= machine.HasEnded || command is not JobCommand.Start || command.Generation <= _releasedIn;

        // Who leads the job on does not know whether all were freed, and frees them again; who is dismissed is free anyway.
        Demand(!leads || _isForgetful || !_isReleased || command is JobCommand.Dismiss or JobCommand.Release, $"{command.GetType().Name} follows the end of the job, or that of its place");
        switch (command)
        {
            case JobCommand.Freeze:
                _changes++;
                break;
            case JobCommand.Start { Assignment: var started }:
                _firstWorkers ??= [.. started.Workers.Select(worker => worker.Name)];
                Demand(_issued.TryAdd(started.Generation, started) || _isForgetful, $"generation {started.Generation} is started twice");
                Demand(
                    !leads || started.Start != AssignmentStart.GoOn || started.FirstStep >= Math.Max(machine.Step, cluster.CommittedStep),
                    $"generation {started.Generation} starts at step {started.FirstStep}, but {cluster.CommittedStep} are committed and {machine.Step} known");
                break;
            case JobCommand.Run run:
                Demand(!leads || run.Assignment.Generation == machine.Generation, $"generation {run.Assignment.Generation} is run after {machine.Generation}");
                for (long step = run.FirstStep; step < run.UntilStep; step++)
                {
                    _owners[step] = _owners.TryGetValue(step, out Assignment? owner) && owner.Generation > run.Generation ? owner : run.Assignment;
                }

                break;
            case JobCommand.Release:
                _isFree = true;
                _isReleased |= leads || machine.HasEnded;
                _releasedIn = command.Generation;
                break;
        }
    }

    public void Ordered(JobOrder order)
    {
        if (_told.Add(order.OrderId))
        {
            _orders.Add(order);
        }
    }

    public void Progressed(long before, long after, Answer answer, bool leads)
    {
        Demand(after >= before, $"{before} steps were committed, then {after}");
        Demand(!leads || after <= cluster.CommittedStep, $"the job counts {after} steps, but {cluster.CommittedStep} are committed");
        Demand(!answer.IsRefused, $"progress is refused: {answer.Reason}");
    }

    public void Answered(bool hadEnded, Answer answer) =>
        Demand(!hadEnded || answer.Verdict == Verdict.Stale, $"a message to the ended job is answered {answer.Verdict}");

    /// <summary>The job has ended, and nothing is on its way any more.</summary>
    public void Check(JobMachine machine, long firstStep)
    {
        Demand(_isFree, "the job has not ended");

        // A job that has gone back may end before it has come again to where it was.
        StepRow[] rows = [.. cluster.Grain.RowsBefore.Concat(machine.Rows.Since(0)).Where(row => row.Step < machine.Step).DistinctBy(row => row.Step).OrderBy(row => row.Step)];
        RunEvent[] events = [.. machine.Events.Since(0).Select(happened => happened.Event)];
        Demand(
            rows.Select(row => row.Step).SequenceEqual(Enumerable.Range((int)firstStep, (int)(machine.Step - firstStep)).Select(step => (long)step)),
            $"the rows of {machine.Step} steps are those of {string.Join(", ", rows.Select(row => row.Step))}");
        CheckEvaluations(events, machine);
        CheckMembers(_isForgetful ? [] : events, machine, _firstWorkers ?? []);
        RunEvent.Ended[] ends = [.. events.OfType<RunEvent.Ended>()];
        Demand(ends.Length == (machine.State is JobState.Completed or JobState.Stopped ? 1 : 0), $"{ends.Length} last events of a job that is {machine.State}");
        foreach (RunEvent.Ended end in ends)
        {
            CheckSamples(end.Summary.SamplesPerWorker, firstStep, machine.Step);
        }

        if (reference is not null)
        {
            Demand(
                rows.All(row => reference.Outcomes[row.Step].GradientNorm.Equals(row.GradientNorm)
                    && (reference.Outcomes[row.Step].Batch.LossSum / reference.Outcomes[row.Step].Batch.Count).Equals(row.Loss)),
                "a row tells other numbers than the step has");
        }
    }

    private void CheckEvaluations(RunEvent[] events, JobMachine machine)
    {
        EvaluationResult[] evaluations = [.. events.OfType<RunEvent.EpochCompleted>().Select(epoch => epoch.Evaluation)];
        int ordered = _orders.Count(order => order.Kind == JobOrderKind.Evaluate);
        long every = cluster.Plan.EvaluateEvery;
        long due = evaluations.Select(result => result.Step).Distinct().Count(step => every > 0 && (step % every == 0 || step == cluster.Job.Shape.TotalSteps));

        // A job that has gone back may come to a version a second time, and not know that it was evaluated.
        int back = events.OfType<RunEvent.Yielded>().Count(yielded => yielded.Reason.Contains("goes back", StringComparison.Ordinal));
        Demand(evaluations.Length - due <= ordered + back, $"{evaluations.Length} evaluations, of which {due} are due and {ordered} ordered");
        long checkpoints = events.OfType<RunEvent.CheckpointSaved>().Count();
        long saves = events.OfType<RunEvent.CheckpointSaved>().Select(saved => saved.Checkpoint.Step).Distinct().Count();
        Demand(checkpoints - saves <= (machine.State is JobState.Completed or JobState.Stopped ? 1 : 0), $"{checkpoints} checkpoints of {saves} versions");
        foreach (EvaluationResult result in reference is null ? [] : evaluations)
        {
            Demand(result == reference!.Evaluations[result.Step], $"{result} must be {reference.Evaluations[result.Step]}");
        }
    }

    /// <summary>Who has left and who has come, event by event, leads from the first members to the last.</summary>
    private void CheckMembers(RunEvent[] events, JobMachine machine, IReadOnlyList<string> firstWorkers)
    {
        HashSet<string> present = [.. firstWorkers];
        RunEvent.MembersChanged[] changes = [.. events.OfType<RunEvent.MembersChanged>()];
        foreach (RunEvent happened in events)
        {
            if (happened is RunEvent.Resumed resumed)
            {
                present = [.. resumed.Workers];
            }

            if (happened is not RunEvent.MembersChanged change)
            {
                continue;
            }

            Demand(change.Lost.All(present.Remove), $"{string.Join(", ", change.Lost)} cannot be lost a second time");
            Demand(change.Joined.All(present.Add), $"{string.Join(", ", change.Joined)} cannot join a second time");
            Demand(present.Count == change.Workers, $"{change.Workers} workers are told, but there are {present.Count}");
            Demand(change.StepsRepeated is 0 or 1, $"{change.StepsRepeated} steps are repeated at once");
            Demand(cluster.Grain.FirstSteps.Contains(change.Step), $"no generation begins at step {change.Step}, as is told");
        }

        Demand(changes.Length <= _changes, $"{changes.Length} changes are told of {_changes}");
        Demand(
            _isForgetful || machine.State == JobState.Failed || machine.Assignment is null || present.SetEquals(machine.Assignment.Workers.Select(worker => worker.Name)),
            $"as is told, {string.Join(", ", present)} work at the end");
    }

    /// <summary>A step counts for those who computed it last: the generation that was sent to run it after all others.</summary>
    private void CheckSamples(KeyValuePair<string, long>[] told, long firstStep, long endStep)
    {
        var samples = new Dictionary<string, long>();
        for (long step = firstStep; step < endStep; step++)
        {
            long batch = cluster.Job.Shape.BatchOf(step);
            foreach (AssignedWorker worker in _owners[step].Workers)
            {
                samples[worker.Name] = samples.GetValueOrDefault(worker.Name)
                    + worker.Shards.End * batch / cluster.Job.Shape.Shards - worker.Shards.First * batch / cluster.Job.Shape.Shards;
            }
        }

        Demand(
            told.Sum(pair => pair.Value) == samples.Values.Sum()
                && (_isForgetful || told.All(pair => samples.GetValueOrDefault(pair.Key) == pair.Value)),
            $"samples per worker are {string.Join(", ", told)}, but must be {string.Join(", ", samples)}");
    }

    private void Demand(bool holds, string complaint)
    {
        if (!holds)
        {
            cluster.Complain(complaint);
        }
    }
}
