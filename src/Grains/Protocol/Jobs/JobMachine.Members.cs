using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Records;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>How a job loses and takes on workers, and how long it waits for a sign of life.</summary>
internal sealed partial class JobMachine
{
    /// <summary>Without a committed step, an evaluated block or a worker that does something else than before, while the job trains or evaluates.</summary>
    private const double WorkPatience = 120;

    /// <summary>One after the other; then something else is wrong than a single silo.</summary>
    private const int MostFailedStarts = 3;

    /// <summary>Mean over the samples so far of the epoch in progress, or of the whole last epoch right at its end.</summary>
    public double TrainLoss => Reached.Position.Epoch.Sums is { Count: > 0 } sums ? sums.LossSum / sums.Count : 0;

    /// <summary>Training samples ÷ seconds in training steps; 0 before any is measured.</summary>
    public double ImagesPerSecond
    {
        get
        {
            double seconds = _timedBefore.Seconds + Reached.TimedSeconds;
            return seconds > 0 ? (_timedBefore.Samples + Reached.TimedSamples) / seconds : 0;
        }
    }

    /// <summary>Workers that were lost while they worked for the job; those that left when their silo was told to stop do not count.</summary>
    public int LostWorkers { get; private set; }

    /// <summary>A worker has said what it does.</summary>
    public Answer WorkerSeen(MessageHeader header, WorkerStatus status, double now)
    {
        if (HasEnded || header.Generation != _assignment?.Generation)
        {
            return Verdict.Stale;
        }

        bool isKnown = _workers.TryGetValue(status.Name, out (WorkerStatus Status, double) before);
        if (isKnown && IsOvertaken(status, before.Status))
        {
            return Verdict.Duplicate;
        }

        // A new phase is a sign of work, too: a step may take minutes.
        if (!isKnown || status.EvaluatedSamples > before.Status.EvaluatedSamples || status.Phase != before.Status.Phase)
        {
            _lastSign = now;
        }

        _workers[status.Name] = (status, now);
        _balance.Measure(status);
        return Verdict.Accepted;
    }

    /// <summary>A worker is gone for good.</summary>
    /// <param name="reason">A clause that follows the worker's name: "has left the cluster with its silo".</param>
    public void Lose(string worker, string reason, double now)
    {
        double noticed = _workers.TryGetValue(worker, out (WorkerStatus, double At) seen) ? now - seen.At : 0;
        if (HasEnded || _members is null)
        {
            return;
        }

        if (_members.Leave(worker))
        {
            _commands.Add(new JobCommand.Dismiss(worker, new MessageHeader(jobId, 0, Step)));
            return;
        }

        if (!_members.Lose(worker, reason, noticed))
        {
            return;
        }

        LostWorkers++;
        _revision++;
        if (State == JobState.Queued)
        {
            LoseWhileStarting(worker, $"worker {worker} {reason} while the job was starting");
            return;
        }

        _commands.Add(new JobCommand.Dismiss(worker, new MessageHeader(jobId, Generation + 1, Step)));
        if (!_losesSilo && (State is JobState.Running or JobState.Evaluating || _change is not null))
        {
            Change(now);
        }
    }

    /// <summary>A free worker, reserved and with the data at hand, joins at the next step boundary at which the job rests.</summary>
    /// <returns>False if it is not needed.</returns>
    public bool Join(AssignedWorker worker, double now)
    {
        if (HasEnded || _members?.Join(worker) != true)
        {
            return false;
        }

        // Nobody may freeze the servers whose state is being saved: then the change comes after it.
        if (_withoutWorkersSince is not null && (_isResting || State != JobState.Saving))
        {
            Change(now);
        }

        return true;
    }

    /// <summary>Time has passed: nothing waits for ever.</summary>
    public void Tick(double now)
    {
        if (HasEnded || _assignment is null)
        {
            return;
        }

        WatchSave(now);
        if (_withoutWorkersSince is { } since)
        {
            WaitForWorker(now, now - since);
            return;
        }

        if (_change is not null || State is not (JobState.Running or JobState.Evaluating))
        {
            return;
        }

        if (now - _lastSign > WorkPatience)
        {
            string workers = string.Join(", ", Workers.Select(worker => $"{worker.Name} at step {worker.Step}, {worker.Phase}"));
            FailServer(new JobFailure(
                (int)ExitCode.Environment,
                FormattableString.Invariant($"no sign of work for {now - _lastSign:F0} s while the job was {State.InWords()}; ") +
                $"step {Step} waits ({workers}); check the silos' logs, also of its servers."), now);
            return;
        }

        if (State == JobState.Running)
        {
            (WorkerStatus, double)[] seen = [.. _assignment.Workers.Where(worker => _workers.ContainsKey(worker.Name))
                .Select(worker => (_workers[worker.Name].Status, now - _workers[worker.Name].At))];
            foreach ((string worker, string reason) in _deadline.Late(seen, now - _lastCommit).ToList())
            {
                Lose(worker, reason, now);
            }
        }
    }

    /// <summary>A sight that was sent before the one that is known.</summary>
    private static bool IsOvertaken(WorkerStatus late, WorkerStatus known) => late.Generation == known.Generation
        && (late.Step < known.Step || late.EvaluatedSamples < known.EvaluatedSamples);

    /// <summary>Nothing is done yet that would be lost: the job looks for another place.</summary>
    private void LoseWhileStarting(string worker, string reason)
    {
        if (++_failedStarts > MostFailedStarts)
        {
            Fail(new JobFailure((int)ExitCode.Environment, $"{reason}, for the {_failedStarts}th time; check the silos' logs, and start the job again."));
            return;
        }

        _commands.Add(new JobCommand.Dismiss(worker, new MessageHeader(jobId, Generation, Step)));
        Yield($"{reason}.");
    }

    /// <summary>Starts a generation of those who are there now; a change under way is overtaken.</summary>
    private void Change(double now, bool rotates = false)
    {
        _evaluation = null;
        if (_members!.Next.Count == 0)
        {
            TakeBackChange();
            _withoutWorkersSince ??= now;
            Reason = $"waits for a worker: {_members.Reason}.";
            return;
        }

        Reason = null;
        _withoutWorkersSince = null;
        MembersChange change = _members.TakeChange();
        _untold = _untold?.Then(change) ?? change;
        if (State == JobState.Evaluating && !_isResting)
        {
            // No step is open, so that its coordinator does not count how long the loss has held the job up.
            _heldUpSince = Math.Min(_heldUpSince ?? now, now - change.NoticedSeconds);
        }

        double[] weights = _balance.WeightsOf(_members.Next);
        _change = new GenerationChange(_assignment!, ++Generation, _members.Next, weights, shape.Shards, Servers!, rotates);
        _protected.Clear();
        _revision++;
        _commands.Add(new JobCommand.Freeze(_change.Freeze, _change.Servers));
    }

    /// <summary>
    /// Decided steps run again that some server had not taken; if there are none, the one does that was open. Each counts once, however often it does.
    /// </summary>
    /// <param name="first">Of the next generation.</param>
    private void NoteRepeated(long first, long decided)
    {
        bool isOpen = State == JobState.Running && !_isResting && first < UntilStep;
        _repeated = Math.Max(_repeated, decided > first ? (int)(decided - first) : isOpen ? 1 : 0);
    }

    /// <summary>Tells of a change once it is known how long it took.</summary>
    private void TellChange(double? gapSeconds)
    {
        if (_begun is not { } change || gapSeconds is not { } gap || _change is not null)
        {
            return;
        }

        // Only what the generation that works has of it: at an end, or after another one has led the job, a change may not have come to its start.
        HashSet<string> present = [.. _assignment!.Workers.Select(worker => worker.Name)];
        MembersChange told = change with
        {
            Lost = [.. change.Lost.Where(lost => !present.Contains(lost))],
            Joined = [.. change.Joined.Where(present.Contains)],
        };
        if (!told.IsEmpty)
        {
            _events.Add(new RunEvent.MembersChanged(
                Generation,
                _assignment.FirstStep,
                told.Lost,
                told.Joined,
                _assignment.Workers.Length,
                told.Reason,
                told.NoticedSeconds,
                _restedSeconds + gap,
                _repeated));
        }

        (_untold, _begun) = (null, null);
        (_restedSeconds, _heldUpSince) = (0, null);
        _repeated = 0;
    }
}
