using ConvNet.Engine.Errors;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Records;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>
/// The life of a job: carries its plan out, changes its generation when workers are lost or join, and knows what to tell about it. What
/// happens goes in as calls, what is to be done comes out as commands (<see cref="TakeCommands"/>). Pure: no clock, no messages; not
/// thread-safe.
/// </summary>
/// <param name="runFolder">For the last event; another client may have another one.</param>
internal sealed partial class JobMachine(string jobId, JobShape shape, int testSamples, string runFolder, TrainingPlan plan)
{
    private const int MostWarnings = 1000;

    private readonly List<JobCommand> _commands = [];
    private readonly List<JobOrder> _early = [];
    private readonly List<string> _orders = [];
    private readonly HashSet<string> _warnings = [];
    private readonly StepRowLog _rows = new();
    private readonly JobEventLog _events = new();
    private readonly WorkerSamples _samples = new(shape);
    private readonly StepDeadline _deadline = new();
    private readonly Dictionary<string, (WorkerStatus Status, double At)> _workers = [];
    private JobPlan? _plan;
    private JobMembers? _members;
    private Assignment? _assignment;
    private GenerationChange? _change;
    private MembersChange? _untold;

    /// <summary>What of it has come to the start of its generation: only that is told.</summary>
    private MembersChange? _begun;
    private int _repeated;
    private EvaluationRun? _evaluation;
    private bool _isResting;
    private string? _ending;
    private long _order;
    private long _counted;
    private JobPosition _savedPosition = JobPosition.Start;
    private KeyValuePair<string, long>[] _savedSamples = [];
    private bool _hasGoneBack;
    private long? _examinedAt;
    private double _lastSign;
    private double _lastCommit;
    private double? _withoutWorkersSince;
    private bool _isPaused;
    private Assignment? _releasing;
    private int _failedStarts;
    private (long Samples, double Seconds) _timedBefore;

    public JobState State { get; private set; } = JobState.Queued;

    /// <summary>It has had a place, and goes on when it gets one again.</summary>
    public bool HasBegun => _plan is not null;

    /// <summary>Where the run is written, for the last event.</summary>
    public string RunFolder { get; set; } = runFolder;

    /// <summary>Where the slice under way ends.</summary>
    public long UntilStep { get; private set; }

    /// <summary>The newest generation that was begun, or is about to; 0 before the first.</summary>
    public long Generation { get; private set; }

    public JobFailure? Failure { get; private set; }

    /// <summary>Why the job waits, or has ended as it has.</summary>
    public string? Reason { get; private set; }

    /// <summary>The generation that works, or the last one that did; null while the job has no place.</summary>
    public Assignment? Assignment => _assignment;

    /// <summary>Of committed steps.</summary>
    public StepProgress Reached { get; private set; } = new();

    /// <summary>Steps completed.</summary>
    public long Step => Reached.Position.Step;

    public EvaluationResult? Evaluation => _plan?.Evaluation;

    public CheckpointResult? Checkpoint => _plan?.Checkpoint;

    public StepRowLog Rows => _rows;

    public JobEventLog Events => _events;

    public IEnumerable<WorkerStatus> Workers =>
        (_assignment?.Workers ?? []).Select(worker => _workers.TryGetValue(worker.Name, out (WorkerStatus Status, double) seen)
            ? seen.Status with { FirstShard = worker.Shards.First, EndShard = worker.Shards.End }
            : new WorkerStatus(worker.Name, worker.Shards.First, worker.Shards.End, 0, 0, 0, 0, 0, 0));

    /// <summary>How many workers the job would take on now.</summary>
    public int MissingWorkers => HasEnded ? 0 : _members?.Missing ?? 0;

    /// <summary>Every worker is lost, and the job waits for one.</summary>
    public bool IsWithoutWorkers => _withoutWorkersSince is not null;

    /// <summary>True if nothing can happen to the job any more: its workers and servers are free.</summary>
    public bool HasEnded => State.IsEnd();

    /// <summary>What is to be done now; each command is given once.</summary>
    public IReadOnlyList<JobCommand> TakeCommands()
    {
        JobCommand[] commands = [.. _commands];
        _commands.Clear();
        return commands;
    }

    /// <summary>The job has its workers and servers: starts its first generation there.</summary>
    /// <param name="position">Where the job starts: that of the checkpoint, or 0; when it goes on, <see cref="Reached"/>.</param>
    /// <param name="first">The first generation, or the one after the last.</param>
    /// <param name="asked">How many workers the job asked for.</param>
    public void Begin(JobPosition position, Assignment first, int asked, double now)
    {
        if (_plan is not null)
        {
            _events.Add(new RunEvent.Resumed(position.Step, first.Generation, [.. first.Workers.Select(worker => worker.Name)]));
        }

        (_startsWithFewer, _vacating) = (TakesFewer, null);
        _savedPosition = _plan is null ? position : _savedPosition;
        _plan ??= new JobPlan(plan, shape.TotalSteps, position.Step, now);
        _plan.GoOn();
        _members = new JobMembers(_asked = asked, first.Workers);
        _balance = new ShardBalance(shape.Shards);
        _early.ForEach(Apply);
        _early.Clear();
        (Reason, QueuePosition) = (null, null);
        Generation = first.Generation;
        StandAt(position);
        _assignment = first;
        (_nextServers, _offered) = (null, null);
        _protected.Clear();
        _samples.Include(first);
        _counted = position.Step;
        _lastSign = now;
        _revision++;
        _commands.Add(new JobCommand.Start(first));
    }

    /// <summary>Every server has answered the freeze of a generation.</summary>
    /// <param name="standbys">By number of the server; null: none, or none that answers.</param>
    public void Frozen(long generation, FrozenAt coordinator, IReadOnlyList<FrozenAt> servers, IReadOnlyList<FrozenAt?>? standbys = null)
    {
        if (HasEnded || _change is not { } change || change.Generation != generation || change.Chosen is not null)
        {
            return;
        }

        if (change.Choose(coordinator, servers, standbys) is { } lost)
        {
            LoseServers(lost);
            return;
        }

        NoteRepeated(change.Chosen!.FirstStep, change.Decided);
        TellPromoted(change);

        // Who leads the job on from a record does not know what was decided: a server may have taken it, and nothing rests before all have.
        UntilStep = Math.Max(UntilStep, change.Decided);
        _commands.Add(new JobCommand.Start(change.Chosen!));
    }

    /// <summary>Every server and worker has started a generation: what was interrupted goes on.</summary>
    /// <param name="reached">How far the coordinator is that has gone on from the generation before; null if all have just begun.</param>
    public void Started(long generation, StepProgress? reached, double now)
    {
        if (!IsAt(generation) || _withoutWorkersSince is not null)
        {
            return;
        }

        _lastSign = now;
        _lastCommit = now;
        (_failedStarts, _startsWithFewer) = (0, false);
        if (_change is { Chosen: { } chosen })
        {
            Count(chosen.FirstStep);
            _rows.Add(reached?.Recent ?? []);
            if (reached is not null && reached.Position.Step > Step)
            {
                Reached = reached;
            }

            NoteLostLeader(reached);
            _begun = _untold;
            _isRecovering = false;
            _assignment = chosen;
            _nextServers = null;
            _samples.Include(chosen);
            _restedSeconds = _heldUpSince is { } since ? now - since : _restedSeconds;
            _change = null;
        }

        _revision++;

        // The last step of the slice may have been committed while the generation changed.
        if (_isResting || State == JobState.Queued || (State == JobState.Running && Step >= UntilStep))
        {
            Rest(now);
        }
        else if (State == JobState.Evaluating)
        {
            Evaluate();
        }
        else
        {
            Run();
        }
    }

    /// <summary>The coordinator tells how far the committed steps are.</summary>
    public Answer Progress(MessageHeader header, StepProgress progress, double now)
    {
        if (HasEnded || _isRecovering || header.Generation != _assignment?.Generation)
        {
            return Verdict.Stale;
        }

        _deadline.Measure(progress.Recent.Where(row => row.Step >= _rows.Next));
        _rows.Add(progress.Recent);
        Array.ForEach(progress.Warnings, Warn);

        if (progress.Position.Step <= Step)
        {
            return Verdict.Duplicate;
        }

        Count(progress.Position.Step);
        Reached = progress;
        _lastSign = now;
        _lastCommit = now;
        TellChange(progress.GapSeconds);
        if (State == JobState.Running && _change is null && Step >= UntilStep)
        {
            Rest(now);
        }

        return Verdict.Accepted;
    }

    /// <summary>A worker has evaluated consecutive blocks.</summary>
    public Answer EvaluationDone(MessageHeader header, int firstBlock, IReadOnlyList<Metrics> blocks, double now)
    {
        if (State != JobState.Evaluating || _evaluation is not { } evaluation || _change is not null)
        {
            return Verdict.Stale;
        }

        Answer answer = evaluation.Take(header, firstBlock, blocks);
        if (answer.IsRefused)
        {
            Fail(new JobFailure((int)ExitCode.TrainingFailed, answer.Reason!));
        }
        else if (evaluation.IsComplete)
        {
            Metrics sum = evaluation.Result;
            var result = new EvaluationResult(evaluation.Version, sum.Count, sum.LossSum / sum.Count, (double)sum.Correct / sum.Count);
            _plan!.Evaluated(result);
            _evaluation = null;
            _events.Add(new RunEvent.EpochCompleted(
                shape.EpochsIn(result.Step), shape.EpochsIn(shape.TotalSteps), TrainLoss, result, ImagesPerSecond));
            Rest(now);
        }

        return answer;
    }

    /// <summary>From any state but an end: the first failure stays.</summary>
    public void Fail(JobFailure failure)
    {
        if (!HasEnded)
        {
            Failure = failure;
            End(JobState.Failed, failure.Message);
        }
    }

    /// <summary>Nothing is under way: what is next?</summary>
    private void Rest(double now)
    {
        _lastSign = now;
        (_isResting, _interruptsSave) = (true, false);
        JobAction action = NextAction(now);
        if (action is JobAction.Run or JobAction.Evaluate)
        {
            Rebalance();
            TakeStandbys();
            if (_members!.HasChanged)
            {
                Change(now);
                return;
            }

            if (HandsOn)
            {
                // To be kept first: a store that does not take it would not let another one lead the job on.
                (State, _heldSince) = (JobState.Running, now);
                _revision++;
                return;
            }
        }

        _isResting = false;
        switch (action)
        {
            case JobAction.Run run:
                State = JobState.Running;
                UntilStep = run.UntilStep;
                Run();
                break;
            case JobAction.Evaluate:
                State = JobState.Evaluating;
                Evaluate();
                break;
            case JobAction.Save save:
                State = JobState.Saving;
                Save(save, now);
                break;
            case JobAction.Yield:
                Yield(_orphaned is not null ? OrphanReason() : _isPaused ? PauseReason() : $"{_vacating}; {WhereItIsSaved()}.");
                break;
            case JobAction.End { State: JobState.Failed }:
                FailSaved();
                break;
            case JobAction.End end:
                End(end.State, end.State is JobState.Completed or JobState.Stopped ? null : $"{_ending}; {WhereItIsSaved()}.");
                break;
        }
    }

    private void Run() =>
        _commands.Add(new JobCommand.Run(_assignment!, Math.Max(Step, _assignment!.FirstStep), UntilStep, ++_order));

    private void Evaluate()
    {
        _evaluation = new EvaluationRun(_assignment!, Step, testSamples);
        _commands.Add(new JobCommand.Evaluate(_assignment!, _evaluation, ++_order));
    }

    private void End(JobState state, string? reason)
    {
        TellChange(0);
        State = state;
        (Reason, QueuePosition) = (reason, null);
        if (Checkpoint is { } checkpoint && (state is JobState.Completed or JobState.Stopped))
        {
            var summary = new RunSummary(
                checkpoint.Step,
                shape.EpochsIn(checkpoint.Step),
                TrainLoss,
                state == JobState.Completed ? Evaluation?.Accuracy : null,
                checkpoint.StateSha256,
                checkpoint.WeightsSha256,
                ImagesPerSecond,
                _samples.ByWorker,
                checkpoint.Path);
            _events.Add(state == JobState.Completed ? new RunEvent.Completed(RunFolder, summary) : new RunEvent.Stopped(RunFolder, summary));
        }

        _revision++;
        if ((_change?.Chosen ?? _assignment) is { } assignment)
        {
            Release(assignment);
        }
    }

    /// <summary>Another coordinator counts from there on; what the one before has timed stays.</summary>
    private void StandAt(JobPosition position)
    {
        _timedBefore = (_timedBefore.Samples + Reached.TimedSamples, _timedBefore.Seconds + Reached.TimedSeconds);
        Reached = new StepProgress { Position = position };
    }

    /// <summary>Steps before this one are committed: they were computed by the generation that still counts here.</summary>
    private void Count(long step)
    {
        if (step > _counted)
        {
            _samples.Add(_assignment!, _counted, step);
            _counted = step;
        }
    }
}
