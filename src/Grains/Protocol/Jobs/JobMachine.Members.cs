using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>How a job takes orders, loses and takes on workers, and how long it waits for a sign of life.</summary>
internal sealed partial class JobMachine
{
    /// <summary>Without a committed step, an evaluated block or a worker that does something else than before, while the job trains or evaluates.</summary>
    private const double WorkPatience = 120;

    /// <summary>Without a single worker: somebody may start a silo.</summary>
    private const double WorkerPatience = 30;

    /// <summary>Mean over the samples so far of the epoch in progress, or of the whole last epoch right at its end.</summary>
    public double TrainLoss => Reached.Position.Epoch.Sums is { Count: > 0 } sums ? sums.LossSum / sums.Count : 0;

    /// <summary>Training samples ÷ seconds in training steps; 0 before any is measured.</summary>
    public double ImagesPerSecond => Reached.TimedSeconds > 0 ? Reached.TimedSamples / Reached.TimedSeconds : 0;

    /// <summary>The job has no place in the cluster yet.</summary>
    /// <param name="reason">For people.</param>
    public void Wait(string reason) => Reason = HasEnded || _assignment is not null ? Reason : reason;

    /// <summary>Takes an order; told again, it does nothing.</summary>
    /// <exception cref="ConvNetException">The job has ended (exit code 6).</exception>
    public void Order(JobOrder order)
    {
        if (_orders.Contains(order.OrderId))
        {
            return;
        }

        if (HasEnded)
        {
            throw new ConvNetException(
                ExitCode.Conflict,
                $"job '{jobId}' takes no order to {Spoken(order.Kind)}: it is {State.InWords()} at step {Step} of {shape.TotalSteps}" +
                $"{(Reason is null ? "" : $" ({Reason.TrimEnd('.')})")}.");
        }

        _orders.Add(order.OrderId);
        if (_plan is not null || order.Kind is JobOrderKind.Stop or JobOrderKind.Cancel or JobOrderKind.Abandon)
        {
            Apply(order);
        }
        else
        {
            _early.Add(order);
        }
    }

    /// <summary>The client that holds the lease is gone: the job saves what is new at the next step boundary, and frees everything.</summary>
    /// <param name="silent">For so many seconds.</param>
    public void LoseClient(double silent)
    {
        string reason = FormattableString.Invariant($"its client was silent for {silent:F0} s");
        if (_plan is null && !HasEnded)
        {
            End(JobState.Orphaned, $"{reason}, before the job began.");
            return;
        }

        _ending ??= reason;
        _plan?.End(JobState.Orphaned);
    }

    private void Apply(JobOrder order)
    {
        switch (order.Kind)
        {
            case JobOrderKind.Abandon:
                Fail(new JobFailure((int)ExitCode.TrainingFailed, "its client ended it as failed."));
                break;
            case JobOrderKind.Stop or JobOrderKind.Cancel when _plan is null:
                End(JobState.Cancelled, "it was cancelled before it began.");
                break;
            case JobOrderKind.Stop:
                _plan!.End(JobState.Stopped);
                break;
            case JobOrderKind.Cancel:
                _ending ??= "it was cancelled by order";
                _plan!.End(JobState.Cancelled);
                break;
            case JobOrderKind.StopAfter:
                _plan!.StopAfter(order.Step);
                break;
            case JobOrderKind.Save:
                _plan!.Save();
                break;
            case JobOrderKind.Evaluate:
                _plan!.Evaluate();
                break;
        }
    }

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

        if (State == JobState.Queued)
        {
            Fail(new JobFailure((int)ExitCode.Environment, $"worker {worker} {reason} while the job was starting; start the job again."));
            return;
        }

        _commands.Add(new JobCommand.Dismiss(worker, new MessageHeader(jobId, Generation + 1, Step)));
        if (State is JobState.Running or JobState.Evaluating || _change is not null)
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

        if (_withoutWorkersSince is { } since)
        {
            if (now - since > WorkerPatience)
            {
                Fail(new JobFailure(
                    (int)ExitCode.Environment,
                    FormattableString.Invariant($"the job has been without workers for {now - since:F0} s at step {Step} ({_members!.Reason}); ") +
                    "start a silo with a free device."));
            }

            return;
        }

        if (_change is not null || State is not (JobState.Running or JobState.Evaluating))
        {
            return;
        }

        if (now - _lastSign > WorkPatience)
        {
            string workers = string.Join(", ", Workers.Select(worker => $"{worker.Name} at step {worker.Step}, {worker.Phase}"));
            Fail(new JobFailure(
                (int)ExitCode.Environment,
                FormattableString.Invariant($"no sign of work for {now - _lastSign:F0} s while the job was {State.InWords()}; ") +
                $"step {Step} waits ({workers}); check the silos' logs."));
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

    private static string Spoken(JobOrderKind kind) => kind switch
    {
        JobOrderKind.StopAfter => "stop after a step",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private string WhereItIsSaved() =>
        Checkpoint is { } checkpoint ? $"step {checkpoint.Step} is saved in {checkpoint.Path}" : $"at step {Step} there was nothing new to save";

    /// <summary>Starts a generation of those who are there now; a change under way is overtaken.</summary>
    private void Change(double now)
    {
        _evaluation = null;
        if (_members!.Next.Count == 0)
        {
            _withoutWorkersSince ??= now;
            Reason = $"waits for a worker: {_members.Reason}.";
            return;
        }

        Reason = null;
        _withoutWorkersSince = null;
        MembersChange change = _members.TakeChange();
        _untold = _untold?.Then(change) ?? change;
        _repeated = Math.Max(_repeated, _isResting || State != JobState.Running ? 0 : 1);
        _change = new GenerationChange(_assignment!, ++Generation, _members.Next, shape.Shards);
        _commands.Add(new JobCommand.Freeze(_change.Freeze, _assignment!.Servers));
    }

    /// <summary>Tells of a change once it is known how long it took.</summary>
    private void TellChange(double? gapSeconds)
    {
        if (_untold is { IsEmpty: true })
        {
            _untold = null;
        }

        if (_untold is { } change && gapSeconds is { } gap && _change is null)
        {
            _events.Add(new RunEvent.MembersChanged(
                Generation,
                _assignment!.FirstStep,
                change.Lost,
                change.Joined,
                _assignment.Workers.Length,
                change.Reason,
                change.NoticedSeconds,
                gap,
                _repeated));
            _untold = null;
            _repeated = 0;
        }
    }
}
