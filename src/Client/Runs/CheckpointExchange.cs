using System.Diagnostics;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Runs;

/// <summary>
/// Between a job and its run, for silos that do not share this machine's disk: sends the checkpoint that the job waits for, and fetches each one that it
/// saves, beside the training. The run hears of a checkpoint when it is in the run folder.
/// </summary>
/// <param name="stores">The store of a key.</param>
/// <param name="run">Gets what the job tells.</param>
internal sealed class CheckpointExchange(
    Func<string, ICheckpointStoreGrain> stores, RunRequest request, TrainingPlan plan, RunStream run) : RunSink
{
    /// <summary>As many as a silo keeps: older ones are not there any more.</summary>
    private const int MostWaiting = 2;

    /// <summary>Until the next try, when this machine's disk does not take a checkpoint; and for how long when the job has ended.</summary>
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(30), LastRetryPause = TimeSpan.FromSeconds(2), LastPatience = TimeSpan.FromSeconds(60);

    private readonly TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly Queue<CheckpointResult> _waiting = [];
    private readonly List<EvaluationResult> _evaluations = [.. plan.Evaluations];
    private bool _isTroubled;

    /// <summary>From a checkpoint on, until the same status has told where that is: another silo may write now.</summary>
    private readonly Queue<RunEvent> _held = [];
    private CheckpointPlace? _place;
    private Task _sending = Task.CompletedTask;
    private Task _fetching = Task.CompletedTask;
    private string? _sentTo;
    private CheckpointResult? _newest;

    public override bool IsWritten
    {
        get
        {
            lock (_gate)
            {
                return run.IsWritten && _held.Count == 0 && _waiting.Count == 0 && _fetching.IsCompleted;
            }
        }
    }

    public override void Handle(RunEvent happened)
    {
        if (happened is RunEvent.Progress progress)
        {
            if (progress.Status.Checkpoints is { } place)
            {
                Know(place);
            }

            while (_held.TryDequeue(out RunEvent? held))
            {
                PassOn(held);
            }

            run.Publish(happened);
        }
        else if (happened is RunEvent.CheckpointSaved || _held.Count > 0)
        {
            _held.Enqueue(happened);
        }
        else
        {
            PassOn(happened);
        }
    }

    /// <summary>Waits for what is under way when the job has ended.</summary>
    /// <returns>The end, with the checkpoint that is in the run folder.</returns>
    /// <exception cref="ConvNetException">The last checkpoint cannot be had.</exception>
    public async Task<RunEvent> FinishAsync(RunEvent end)
    {
        _ending.TrySetResult();
        try
        {
            await _sending;
            await _fetching;
        }
        catch (ConvNetException) when (end is not RunEvent.Ended || _place is not { IsCache: true })
        {
            // That the job has failed says more; and a job that saves here by now needs nothing that was to be fetched before.
        }

        if (_place is not { IsCache: true } place || end is not RunEvent.Ended ended)
        {
            return end;
        }

        return _newest?.StateSha256 == ended.Summary.StateSha256
            ? ended with { Summary = ended.Summary with { Checkpoint = _newest.Path } }
            : throw new ConvNetException(
                ExitCode.Environment,
                $"the job has ended at step {ended.Summary.Steps}, but silo '{place.Silo}' does not have its last checkpoint any more; resume the run.");
    }

    private void PassOn(RunEvent happened)
    {
        switch (happened)
        {
            case RunEvent.EpochCompleted epoch:
                lock (_gate)
                {
                    _evaluations.Add(epoch.Evaluation);
                }

                break;
            case RunEvent.CheckpointSaved saved when _place is { IsCache: true }:
                Fetch(saved.Checkpoint);
                return;
        }

        run.Publish(happened);
    }

    private void Know(CheckpointPlace place)
    {
        _place = place;
        if (place.AwaitsUpload && _sending.IsFaulted && GrainFailure.From(_sending.Exception.InnerException!).ExitCode == ExitCode.Environment)
        {
            // The silo may be gone, and the job look for another one; it says how long it waits for the client.
            (_sentTo, _sending) = (null, Task.CompletedTask);
        }

        if (place.AwaitsUpload && _sentTo != place.Writer && request.Checkpoint is { } checkpoint)
        {
            _sentTo = place.Writer;
            run.Publish(new RunEvent.Notice($"Silo '{place.Silo}' does not see {checkpoint}: it is being sent there."));
            _sending = Task.Run(() => CheckpointTransfer.SendAsync(stores(place.Writer), Contact(), checkpoint));
        }

        // Whoever follows the job learns at once that the run cannot have its checkpoints.
        foreach (Task failed in new[] { _sending, _fetching }.Where(task => task.IsFaulted))
        {
            failed.GetAwaiter().GetResult();
        }
    }

    private void Fetch(CheckpointResult saved)
    {
        lock (_gate)
        {
            _waiting.Enqueue(saved);
            if (_waiting.Count > MostWaiting)
            {
                _waiting.Dequeue();
            }

            if (_fetching.IsCompletedSuccessfully)
            {
                _fetching = Task.Run(FetchAllAsync);
            }
        }
    }

    private async Task FetchAllAsync()
    {
        string store = Path.Combine(request.Folder, CheckpointStore.FolderName);
        while (Next() is { } wanted)
        {
            if (await FetchAsync(wanted) is { } fetched)
            {
                _newest = fetched;
                _isTroubled = false;
                CheckpointStore.Keep(store, Retention());
                run.Publish(new RunEvent.CheckpointSaved(fetched));
            }
        }
    }

    /// <summary>While an older checkpoint is here, a disk that does not take one is tried again.</summary>
    /// <returns>Null if a newer one is to be fetched instead, or it is gone.</returns>
    private async Task<CheckpointResult?> FetchAsync(CheckpointResult wanted)
    {
        long? endingSince = null;
        while (_place is { IsCache: true, Writer: { } writer })
        {
            try
            {
                return await CheckpointTransfer.FetchAsync(stores(writer), Contact(), wanted.Step, request.Folder, request.Spec);
            }
            catch (ConvNetException e) when (IsOfSilo(e) && !_ending.Task.IsCompleted)
            {
                Warn(wanted, e, "and the next one is fetched.");
                return null;
            }
            catch (ConvNetException e) when (IsOfSilo(e) && _place.Writer != writer)
            {
                // Another silo has written the last one.
                continue;
            }
            catch (ConvNetException e) when (IsOfDisk(e) && (_newest?.Path ?? request.Checkpoint) is { } kept
                && !(endingSince is { } since && Stopwatch.GetElapsedTime(since) > LastPatience))
            {
                Warn(wanted, e, $"and it is tried again every {RetryPause.TotalSeconds} s; {kept} is kept.");
            }

            if (_ending.Task.IsCompleted)
            {
                endingSince ??= Stopwatch.GetTimestamp();
                await Task.Delay(LastRetryPause);
            }
            else
            {
                await Task.WhenAny(_ending.Task, Task.Delay(RetryPause));
            }

            lock (_gate)
            {
                if (_waiting.Count > 0)
                {
                    return null;
                }
            }
        }

        return null;
    }

    /// <summary>Once, until one is fetched.</summary>
    private void Warn(CheckpointResult wanted, ConvNetException e, string then)
    {
        if (!_isTroubled)
        {
            _isTroubled = true;
            run.Publish(new RunEvent.Warning(
                $"the checkpoint of step {wanted.Step} could not be fetched: {e.Message.TrimEnd('.')}. The training goes on, {then}"));
        }
    }

    /// <summary>The one that has waited longest; with the last of them the fetching ends.</summary>
    private CheckpointResult? Next()
    {
        lock (_gate)
        {
            if (_waiting.TryDequeue(out CheckpointResult? next))
            {
                return next;
            }

            _fetching = Task.CompletedTask;
            return null;
        }
    }

    private static bool IsOfSilo(ConvNetException e) => e.ExitCode is ExitCode.Environment or ExitCode.Conflict;

    private static bool IsOfDisk(ConvNetException e) => e.ExitCode == ExitCode.Resources || (e.InnerException is { } cause && FileFailure.Is(cause));

    private CheckpointRetention Retention()
    {
        lock (_gate)
        {
            return plan.Retention(_evaluations);
        }
    }

    private ClusterContact Contact() => new(() => $"the silo that keeps the checkpoints of job '{request.JobId}'", TimeProvider.System);
}
