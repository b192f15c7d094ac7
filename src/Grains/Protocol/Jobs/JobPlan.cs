using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Records;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>
/// Carries a <see cref="TrainingPlan"/> out: says at each step boundary at which the job rests what comes next, and takes orders that
/// change the plan. Pure; the time is given.
/// </summary>
/// <param name="startStep">Completed steps at the start: those of a checkpoint, or 0.</param>
/// <param name="now">Seconds of any clock that does not go back.</param>
internal sealed class JobPlan(TrainingPlan plan, long totalSteps, long startStep, double now)
{
    /// <summary>
    /// A job trains in slices of about this length: at the end of each it can be stopped, and workers can join. No bit depends on it.
    /// </summary>
    private const double SliceSeconds = 2;
    private const long FirstSlice = 10;

    /// <summary>Less than the coordinator remembers: whoever leads the job on after a loss still hears of each step.</summary>
    private const long LongestSlice = 1000;

    private readonly List<EvaluationResult> _evaluations = [.. plan.Evaluations];

    /// <summary>A plan that never evaluates stops at the end of the job, because it has no result to complete it with.</summary>
    private long _stopAfter = plan.StopAfter ?? (plan.EvaluateEvery == 0 ? totalSteps : long.MaxValue);
    private JobState? _end;
    private bool _yieldOrdered;
    private bool _saveOrdered;
    private bool _evaluationOrdered;
    private long _evaluatedStep = plan.Evaluations.Select(result => result.Step).DefaultIfEmpty(-1).Max();
    private long _savedStep = startStep;
    private double _lastSave = now;
    private bool _finalIsSaved;

    /// <summary>Of the checkpoint that is being written; null if none is.</summary>
    private long? _writtenStep;

    /// <summary>A checkpoint was due that has not come about: it is taken as soon as it can be, from this time on.</summary>
    private double? _owedFrom;

    /// <summary>The training goes on without the checkpoint that is due, as long as the one before it is being written.</summary>
    private bool _passesOver;

    /// <summary>The last evaluation since the start, or null.</summary>
    public EvaluationResult? Evaluation { get; private set; }

    /// <summary>The last checkpoint since the start, or null.</summary>
    public CheckpointResult? Checkpoint { get; private set; }

    /// <summary>There is one to go back to: written since the start, or the one that the job was started from.</summary>
    public bool HasCheckpoint => Checkpoint is not null || _savedStep > 0;

    /// <summary>Of the newest checkpoint; 0 if there is none.</summary>
    public long SavedStep => _savedStep;

    /// <summary>Goes on with a plan where another one was; only the time since the last checkpoint counts anew.</summary>
    public static JobPlan Recover(TrainingPlan plan, long totalSteps, PlanRecord record, double now)
    {
        var recovered = new JobPlan(plan with { Evaluations = record.Evaluations }, totalSteps, record.SavedStep, now)
        {
            Evaluation = record.Evaluation,
            Checkpoint = record.Checkpoint,
        };
        (recovered._stopAfter, recovered._end, recovered._evaluatedStep) = (record.StopAfter, record.End, record.EvaluatedStep);
        (recovered._yieldOrdered, recovered._saveOrdered, recovered._evaluationOrdered) = (record.Yields, record.Saves, record.Evaluates);
        recovered._finalIsSaved = record.FinalIsSaved;
        return recovered;
    }

    /// <summary>What is to be kept.</summary>
    public PlanRecord Record() => new(
        _stopAfter,
        _end,
        _yieldOrdered,
        _saveOrdered || _writtenStep is not null || _owedFrom is not null,
        _evaluationOrdered,
        _evaluatedStep,
        _savedStep,
        _finalIsSaved,
        Evaluation,
        Checkpoint,
        [.. _evaluations]);

    /// <summary>What follows at a step at which nothing is under way.</summary>
    /// <param name="secondsPerStep">Of the last steps; 0 if there are none yet.</param>
    public JobAction Next(long step, double secondsPerStep, double now)
    {
        if (_end is not null || step >= _stopAfter)
        {
            JobState end = _end ?? JobState.Stopped;

            // A stopped job names its checkpoint; others need one only of what is new.
            bool isSaved = end == JobState.Stopped ? Checkpoint?.Step == step : _savedStep == step;
            return isSaved ? new JobAction.End(end) : new JobAction.Save(IsFinal: false, IsAwaited: true);
        }

        if (_yieldOrdered && !_finalIsSaved)
        {
            return _savedStep == step ? new JobAction.Yield() : new JobAction.Save(IsFinal: false, IsAwaited: true);
        }

        if (_evaluationOrdered || IsEvaluationDue(step))
        {
            return new JobAction.Evaluate();
        }

        if (step == totalSteps)
        {
            return _finalIsSaved ? new JobAction.End(JobState.Completed) : new JobAction.Save(IsFinal: true, IsAwaited: true);
        }

        return IsSaveDue(step, now) ? new JobAction.Save(IsFinal: false, IsAwaited: false) : new JobAction.Run(EndOfSlice(step, secondsPerStep));
    }

    public void Evaluated(EvaluationResult result)
    {
        Evaluation = result;
        _evaluations.Add(result);
        _evaluatedStep = Math.Max(_evaluatedStep, result.Step);
        _evaluationOrdered = false;
    }

    /// <summary>The version of a step is pinned, and is being written from now on.</summary>
    public void Writes(long step, double now)
    {
        _writtenStep = step;
        _lastSave = now;
        _saveOrdered = false;
        _owedFrom = null;
    }

    public void Saved(CheckpointResult checkpoint, bool isFinal)
    {
        Checkpoint = checkpoint;
        _savedStep = checkpoint.Step;
        _finalIsSaved = isFinal;
        _writtenStep = null;
        _passesOver = false;
    }

    /// <summary>The job goes back further than to its last checkpoint, which is damaged.</summary>
    public void PassOver(CheckpointResult whole)
    {
        Checkpoint = whole;
        _savedStep = whole.Step;
        _finalIsSaved = false;
    }

    /// <summary>What was being written has come to nothing.</summary>
    /// <param name="retryAt">Until then the training goes on without a checkpoint, unless the job ends or one is ordered.</param>
    public void NotSaved(double retryAt)
    {
        _writtenStep = null;
        _passesOver = false;
        _owedFrom = retryAt;
    }

    /// <summary>The checkpoint that is due does not wait longer for the one that is being written: it is taken at the first rest after that.</summary>
    public void GoOnWithout(double now)
    {
        _passesOver = true;
        _owedFrom = now;
    }

    /// <summary>The first end that is ordered counts.</summary>
    /// <param name="state">Stopped, Cancelled, or Failed with everything saved.</param>
    public bool End(JobState state)
    {
        bool isNew = _end is null;
        _end ??= state;
        return isNew;
    }

    /// <summary>The job is to give its workers and servers up, and to go on later; an end goes before.</summary>
    public void Yield() => _yieldOrdered = true;

    /// <summary>It is to go on, here or in its new place.</summary>
    public void GoOn() => _yieldOrdered = false;

    public void StopAfter(long step) => _stopAfter = step;

    public void Save() => _saveOrdered = true;

    public void Evaluate() => _evaluationOrdered = true;

    /// <summary>Which checkpoints stay when the next one is written.</summary>
    public CheckpointRetention Retention() => plan.Retention(_evaluations);

    /// <summary>A run that was stopped just at the end of an epoch has not evaluated it: that is made up for when it goes on.</summary>
    private bool IsEvaluationDue(long step) =>
        step == totalSteps ? Evaluation?.Step != step : IsAtMultiple(step, plan.EvaluateEvery) && _evaluatedStep < step;

    private bool IsSaveDue(long step, double now) => step > (_writtenStep ?? _savedStep) && !_passesOver
        && (_saveOrdered || (_owedFrom is { } from ? now >= from : IsDueByPlan(step, now)));

    private bool IsDueByPlan(long step, double now) => IsAtMultiple(step, plan.EvaluateEvery)
        || IsAtMultiple(step, plan.SaveEvery)
        || (plan.SaveMinutes > 0 && now - _lastSave >= 60 * plan.SaveMinutes);

    private long EndOfSlice(long step, double secondsPerStep)
    {
        long slice = secondsPerStep > 0 ? (long)Math.Clamp(SliceSeconds / secondsPerStep, 1, LongestSlice) : FirstSlice;
        long[] ends = [step + slice, totalSteps, _stopAfter, NextMultiple(step, plan.EvaluateEvery), NextMultiple(step, plan.SaveEvery)];
        return ends.Min();
    }

    private static bool IsAtMultiple(long step, long every) => every > 0 && step > 0 && step % every == 0;

    private static long NextMultiple(long step, long every) => every > 0 ? (step / every + 1) * every : long.MaxValue;
}
