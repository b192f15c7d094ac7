using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>What a job does that has lost every worker: its servers hold all that is new, and nobody is needed to save it.</summary>
internal sealed partial class JobMachine
{
    /// <summary>Somebody may start a silo.</summary>
    private const double WorkerPatience = 30;

    /// <summary>By then every server has taken the last decision.</summary>
    private const double DecisionPatience = 5;

    /// <summary>The job may wait for workers as long as it takes, because nobody sits beside it.</summary>
    public bool IsDetached { get; set; }

    /// <summary>The servers are where the job knows them to be, and have not promised another generation.</summary>
    private bool CanSaveAlone => _change is null && HasSameServers && Generation == _assignment!.Generation;

    /// <summary>None of the servers that work is lost; standbys may be.</summary>
    private bool HasSameServers => _nextServers is null || _nextServers.ByRole.SequenceEqual(_assignment!.Servers.ByRole);

    private void WaitForWorker(double now, double seconds)
    {
        if (State == JobState.Saving && !_isResting)
        {
            return;
        }

        if (_change is null && !_isRecovering && seconds > DecisionPatience
            && _plan!.Next(Step, _rows.SecondsPerStep, now) is JobAction.End or JobAction.Yield)
        {
            // All is saved, and nobody is needed for the rest.
            Rest(now);
            return;
        }

        if (seconds > WorkerPatience)
        {
            GiveUpWaiting(FormattableString.Invariant($"the job was without workers for {seconds:F0} s at step {Step} ({_members!.Reason})"));
        }

        if (IsWithoutWorkers && CanSaveAlone && seconds > DecisionPatience
            && _plan!.Next(Step, _rows.SecondsPerStep, now) is not (JobAction.Run or JobAction.Evaluate))
        {
            Rest(now);
        }
    }

    private void GiveUpWaiting(string reason)
    {
        if (IsDetached && CanSaveAlone)
        {
            Vacate(reason);
        }
        else if (CanSaveAlone)
        {
            EndSaved(reason);
        }
        else if (IsDetached || !HasSameServers)
        {
            LoseServers(reason);
        }
        else
        {
            Fail(new JobFailure((int)ExitCode.Environment, $"{reason}; {WhereItIsSaved()}, and what came after it is lost; resume the run."));
        }
    }

    /// <summary>The last workers are lost at once: the servers need not know of a generation that nobody would work in.</summary>
    private void TakeBackChange()
    {
        if (_change is { } change && change.Generation == _assignment!.Generation + 1
            && _commands.RemoveAll(command => command is JobCommand.Freeze && command.Generation == change.Generation) > 0)
        {
            (_change, Generation) = (null, _assignment.Generation);
        }
    }
}
