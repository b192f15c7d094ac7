using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>How a job takes orders.</summary>
internal sealed partial class JobMachine
{
    /// <summary>Takes an order; told again, it does nothing.</summary>
    /// <exception cref="ConvNetException">
    /// The job has ended; or is to be resumed and does not wait; or has no client, and is not to be resumed or cancelled (exit code 6).
    /// </exception>
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

        if (_orphaned is not null)
        {
            DemandForOrphan(order.Kind);
        }
        else if (order.Kind == JobOrderKind.Resume && !_isPaused)
        {
            throw new ConvNetException(
                ExitCode.Conflict,
                $"job '{jobId}' is not paused, and needs no resume: it is {State.InWords()} at step {Step} of {shape.TotalSteps}" +
                $"{(Reason is null ? "" : $" ({Reason.TrimEnd('.')})")}.");
        }

        _orders.Add(order.OrderId);
        _revision++;
        if (_plan is not null || order.Kind is not (JobOrderKind.StopAfter or JobOrderKind.Save or JobOrderKind.Evaluate))
        {
            Apply(order);
        }
        else
        {
            _early.Add(order);
        }
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
            case JobOrderKind.Stop when _assignment is null && Checkpoint is not null:
                End(JobState.Stopped, null);
                break;
            case JobOrderKind.Stop or JobOrderKind.Cancel when _assignment is null:
                End(JobState.Cancelled, $"it was cancelled by order; {WhereItIsSaved()}.");
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
            case JobOrderKind.Pause:
                Pause();
                break;
            case JobOrderKind.Resume:
                Resume();
                break;
        }
    }

    private static string Spoken(JobOrderKind kind) => kind switch
    {
        JobOrderKind.StopAfter => "stop after a step",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private string WhereItIsSaved() =>
        Checkpoint is { } checkpoint ? $"step {checkpoint.Step} is saved in {checkpoint.Path}" : $"at step {Step} there was nothing new to save";
}
