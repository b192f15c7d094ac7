using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>How a job leaves silos that are being emptied: at a step boundary at which it rests, so that no step is computed twice.</summary>
internal sealed partial class JobMachine
{
    /// <summary>Why the job is to give its place up, or has, without having been paused.</summary>
    private string? _vacating;

    /// <summary>By then whoever is to lead the job on has taken it, or nobody can.</summary>
    private const double HoldPatience = 15;

    private double _heldSince;

    /// <summary>Another one is to lead the job on, from its record: it stays at the next rest (<see cref="IsHeld"/>).</summary>
    public bool HandsOn { get; private set; }

    /// <summary>
    /// Nothing is under way that another one who leads the job on would have to do again, but for a checkpoint that takes long to be written.
    /// </summary>
    public bool IsHeld(double now) => Rests && (_writing is null || now - _heldSince > WritePatience);

    private bool Rests => HandsOn && !HasEnded && _change is null && _pinning is null && _releasing is null
        && (_assignment is null || ((_isResting || IsWithoutWorkers) && !WaitsToSaveAlone));

    /// <summary>What is new would be lost with this lead: who leads the job on begins a generation, which nobody can save without workers.</summary>
    private bool WaitsToSaveAlone => IsWithoutWorkers && CanSaveAlone;

    /// <summary>The job is about to give its place up.</summary>
    public bool IsLeaving => _vacating is not null || _ending is not null;

    /// <summary>
    /// A worker is to leave. It works on until the job rests; when nobody would be left then, the job saves and goes back to the queue. Told again, it
    /// does nothing.
    /// </summary>
    /// <param name="reason">A clause that follows the worker's name: "leaves, as its silo is being stopped".</param>
    public void Withdraw(string worker, string reason)
    {
        if (HasEnded || _members is null)
        {
            return;
        }

        if (_members.Leave(worker))
        {
            _commands.Add(new JobCommand.Dismiss(worker, new MessageHeader(jobId, 0, Step)));
            return;
        }

        _members.Withdraw(worker, reason);
    }

    /// <summary>The job is to save what is new, to free its workers and servers, and to go back to the queue. Told again, it does nothing.</summary>
    /// <param name="reason">For people, without a full stop.</param>
    public void Vacate(string reason)
    {
        if (!HasEnded && _assignment is not null && _vacating is null)
        {
            _vacating = reason;
            _plan!.Yield();
            _revision++;
        }
    }

    /// <summary>The job cannot stay where it is kept: it saves what is new, and ends so that it can be resumed. Told again, it does nothing.</summary>
    /// <param name="reason">For people, without a full stop.</param>
    public void EndSaved(string reason)
    {
        if (HasEnded)
        {
            return;
        }

        _ending ??= reason;
        if (_assignment is null)
        {
            FailSaved();
        }
        else if (_plan!.End(JobState.Failed))
        {
            _revision++;
        }
    }

    /// <summary>A job that rests for another one to lead it on, and that nobody takes.</summary>
    public bool IsHeldForLong(double now) => Rests && _isResting && now - _heldSince > HoldPatience;

    /// <summary>
    /// Another one is to lead the job on. Told again, it does nothing. A job without workers waits for one first, or saves, which takes half a minute.
    /// </summary>
    public void HandOn()
    {
        bool handsOn = _assignment is null || !WaitsToSaveAlone;
        _revision += handsOn && !HandsOn ? 1 : 0;
        HandsOn = handsOn;
    }

    /// <summary>Nobody else can lead the job on now: it goes on here.</summary>
    public void LeadOn(double now)
    {
        bool rests = Rests && _assignment is not null && !IsWithoutWorkers;
        HandsOn = false;
        if (rests)
        {
            Rest(now);
        }
    }

    private void FailSaved() => Fail(new JobFailure(
        (int)ExitCode.Environment,
        _plan is null ? $"{_ending} before the job began; submit it again." : $"{_ending}; {WhereItIsSaved()}; resume the run."));

    /// <summary>What follows at a rest, when those who are to leave have left.</summary>
    private JobAction NextAction(double now)
    {
        JobAction action = _plan!.Next(Step, _rows.SecondsPerStep, now);
        if (action is not (JobAction.Run or JobAction.Evaluate) || !_members!.HasWithdrawn)
        {
            return action;
        }

        if (_members.WhyAllLeave is { } reason)
        {
            Vacate(reason);
            return _plan.Next(Step, _rows.SecondsPerStep, now);
        }

        foreach (string worker in _members.LetGo())
        {
            _commands.Add(new JobCommand.Dismiss(worker, new MessageHeader(jobId, Generation + 1, Step)));
        }

        return action;
    }
}
