using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>
/// How a job saves: it rests only while a version is pinned, and trains on while that is written. At most one is; the next one that is due waits for it a
/// little, then the training goes on without it. A disk that does not take a checkpoint ends the job only when there is no older one, or when the job
/// cannot end without it.
/// </summary>
internal sealed partial class JobMachine
{
    /// <summary>At rest for the checkpoint before, once for each.</summary>
    private const double WritePatience = 2;

    /// <summary>Until the next try, when one has failed while an older checkpoint is there.</summary>
    private const double RetryPause = 30;

    /// <summary>The same, and how often in all, for one that the job waits for.</summary>
    private const double AwaitedPause = 2, AwaitedPatience = 60;

    /// <summary>So many checkpoints back a job that goes back knows who computed what.</summary>
    private const int MostSamplesAt = 16;

    /// <summary>In a row, as silos die one after the other.</summary>
    private const int MostLostWrites = 3;

    /// <summary>By then people should know that the disk is slow.</summary>
    private const double SlowWrite = 30;

    /// <summary>By worker, of the committed steps until each of the last checkpoints, oldest first.</summary>
    private readonly Queue<KeyValuePair<long, KeyValuePair<string, long>[]>> _samplesAt = [];
    private SavedVersion? _pinning;
    private SavedVersion? _writing;
    private bool _awaitsSave;

    /// <summary>Servers change while the job waits for a checkpoint: it waits for it again after that.</summary>
    private bool _interruptsSave;
    private int _lostWrites;
    private double? _retryAt;
    private double? _waitsSince;
    private double? _unsavedSince;

    /// <summary>People know that the disk does not take what is to be saved; or that it takes long.</summary>
    private bool _isRefusalTold, _isSlownessTold;

    /// <summary>Whether the job still wants the version of a step that is being written: it has not ended, nor gone back to an older one.</summary>
    public bool IsWriting(long step) => !HasEnded && _writing?.Position.Step == step;

    /// <summary>All of the version that the servers rest at is pinned: it can be written while they go on.</summary>
    public void Pinned(double now)
    {
        if (State != JobState.Saving || _pinning is not { } version)
        {
            return;
        }

        (_pinning, _writing) = (null, version with { Since = now });
        _plan!.Writes(version.Position.Step, now);
        _commands.Add(new JobCommand.Write(_assignment!, version.Position.Step, _orphaned is null ? _plan.Retention() : null));
        if (!_awaitsSave)
        {
            Rest(now);
        }
    }

    /// <summary>A checkpoint is written.</summary>
    public void Saved(CheckpointResult checkpoint, double now)
    {
        if (!IsWriting(checkpoint.Step))
        {
            return;
        }

        SavedVersion version = _writing!;
        _writing = null;
        _plan!.Saved(checkpoint, version.IsFinal);
        (_savedPosition, _savedSamples, _hasGoneBack) = (version.Position, version.Samples, false);
        (_isRefusalTold, _isSlownessTold, _unsavedSince, _lostWrites) = (false, false, null, 0);
        _samplesAt.Enqueue(KeyValuePair.Create(checkpoint.Step, version.Samples));
        if (_samplesAt.Count > MostSamplesAt)
        {
            _samplesAt.Dequeue();
        }

        _events.Add(new RunEvent.CheckpointSaved(checkpoint));
        GoOnAfterSave(now);
    }

    /// <summary>
    /// Who was writing is gone, or has lost what was pinned: it is pinned again as soon as the job rests. When that repeats, a disk might as well be full.
    /// </summary>
    /// <param name="reason">A sentence that says why, and what to do.</param>
    public void LoseWrite(long step, string reason, double now)
    {
        if (!IsWriting(step))
        {
            return;
        }

        if (++_lostWrites > MostLostWrites)
        {
            NotSaved(step, reason, now);
            return;
        }

        _writing = null;
        _plan!.NotSaved(retryAt: now);
        GoOnAfterSave(now);
    }

    /// <summary>The disk has not taken what was to be written.</summary>
    /// <param name="reason">A sentence that says why, and what to do.</param>
    public void NotSaved(long step, string reason, double now)
    {
        if (!IsWriting(step))
        {
            return;
        }

        _writing = null;
        bool isAwaited = _interruptsSave || (State == JobState.Saving && !_isResting && _awaitsSave);
        _unsavedSince = isAwaited ? _unsavedSince ?? now : null;
        string what = $"the checkpoint of step {step} could not be written: {reason}";
        if (!isAwaited && !_plan!.HasCheckpoint)
        {
            Fail(new JobFailure((int)ExitCode.Resources, $"{what} There is no older one."));
            return;
        }

        if (now - _unsavedSince > AwaitedPatience)
        {
            Fail(new JobFailure(
                (int)ExitCode.Resources,
                FormattableString.Invariant($"{what} It was tried for {now - _unsavedSince:F0} s; {WhatIsKept()}.")));
            return;
        }

        _plan!.NotSaved(now + RetryPause);
        if (!_isRefusalTold)
        {
            _isRefusalTold = true;
            Warn($"{what} " + (isAwaited
                ? $"It is tried again for {AwaitedPatience} s; {WhatIsKept()}."
                : $"The training goes on, and a checkpoint is tried again every {RetryPause} s; {WhatIsKept()}."));
        }

        if (isAwaited)
        {
            _retryAt = now + AwaitedPause;
        }
        else
        {
            GoOnAfterSave(now);
        }
    }

    /// <summary>The checkpoint that the job was about to go back to is damaged: it goes back to an older one.</summary>
    /// <param name="damage">A sentence that says what is wrong with it.</param>
    public void PassOver(WholeCheckpoint whole, string damage)
    {
        if (!WantsPlace)
        {
            return;
        }

        Warn($"{damage} The job goes back to step {whole.Checkpoint.Step}, which is kept in {whole.Checkpoint.Path}.");
        _plan!.PassOver(whole.Checkpoint);
        _savedPosition = whole.Position;
        _savedSamples = _samplesAt.LastOrDefault(saved => saved.Key == whole.Checkpoint.Step).Value ?? _savedSamples;
        _samples.GoBack(_savedSamples);
        StandAt(_savedPosition);
        _revision++;
    }

    private void Save(JobAction.Save save, double now)
    {
        (_awaitsSave, _retryAt) = (save.IsAwaited, null);
        if (_writing is not null)
        {
            _waitsSince = now;
            return;
        }

        _pinning = new SavedVersion(Reached.Position, _samples.ByWorker, save.IsFinal, now);
        FinalResult? result = save.IsFinal ? new FinalResult(TrainLoss, Evaluation!.Loss, Evaluation.Accuracy) : null;
        _commands.Add(new JobCommand.Save(_assignment!, Reached.Position, result));
    }

    /// <summary>Whoever waits at rest for what is being written, or tries again, does not wait for ever.</summary>
    private void WatchSave(double now)
    {
        if (_writing is { } version && now - version.Since > SlowWrite && !_isSlownessTold)
        {
            _isSlownessTold = true;
            string what = FormattableString.Invariant($"the checkpoint of step {version.Position.Step} is not written after {now - version.Since:F0} s");
            string meanwhile = _awaitsSave && State == JobState.Saving ? "the job waits for it" : "the training goes on";
            Warn($"{what}: the disk is slow, or does not answer; {meanwhile}, and {WhatIsKept()}.");
        }

        if (State != JobState.Saving || _isResting || _pinning is not null)
        {
            return;
        }

        if (now >= _retryAt)
        {
            Rest(now);
        }
        else if (!_awaitsSave && now - _waitsSince > WritePatience)
        {
            _plan!.GoOnWithout(now);
            Rest(now);
        }
    }

    /// <summary>Whatever rested for the checkpoint goes on; what trains notices nothing.</summary>
    private void GoOnAfterSave(double now)
    {
        _waitsSince = null;
        if (State == JobState.Saving && !_isResting && _pinning is null)
        {
            Rest(now);
        }
    }

    /// <summary>The job gives its place up: what is being written still is not wanted any more.</summary>
    private void DropSave()
    {
        if (_writing is not null || _pinning is not null)
        {
            (_writing, _pinning) = (null, null);
            _plan!.NotSaved(retryAt: 0);
        }

        (_retryAt, _waitsSince, _unsavedSince) = (null, null, null);
    }

    private string WhatIsKept() => Checkpoint is { } checkpoint ? $"step {checkpoint.Step} is kept in {checkpoint.Path}"
        : _plan!.HasCheckpoint ? $"the checkpoint of step {_plan.SavedStep} is kept"
        : "no checkpoint is kept";

    /// <summary>What a checkpoint is of.</summary>
    /// <param name="Samples">By worker, of the committed steps until there.</param>
    /// <param name="Since">When it was pinned.</param>
    private sealed record SavedVersion(JobPosition Position, KeyValuePair<string, long>[] Samples, bool IsFinal, double Since);
}
