using ConvNet.Client.Cluster;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Runs;

/// <summary>
/// Orchestrates a job that has been submitted: epoch by epoch it trains, evaluates and saves a checkpoint, until the job is
/// complete, the stop step is reached, or somebody asks it to stop.
/// </summary>
/// <param name="plan">When to save in between.</param>
/// <param name="lastEvaluatedStep">Completed steps at the last evaluation of the run so far, or −1.</param>
internal sealed class TrainingRun(IJobGrain job, RunFolder folder, RunStream run, SavePlan plan, long lastEvaluatedStep, StopSignal stop)
{
    /// <summary>A job trains in slices of about this length, so that a person who presses Ctrl-C need not wait for the end of an epoch.</summary>
    private const double SliceSeconds = 2;
    private const long FirstSlice = 10;

    private readonly HashSet<string> _warnings = [];
    private JobStatus? _latest;
    private long _nextRow;

    /// <param name="stopAfter">Completed steps at which the run stops without evaluation, or null.</param>
    public async Task<ExitCode> RunAsync(long? stopAfter)
    {
        try
        {
            return await RunToEndAsync(stopAfter);
        }
        catch (Exception e) when (LostSilo.IsBehind(e))
        {
            throw await LostSilo.ExplainAsync(job, e, _latest?.Step ?? 0);
        }
    }

    private async Task<ExitCode> RunToEndAsync(long? stopAfter)
    {
        var watch = new JobWatch(job, Observe);
        long stopStep = stopAfter ?? long.MaxValue;
        JobStatus status = await watch.UntilIdleAsync(0);
        EvaluationResult? evaluation = status.Step < stopStep && IsEvaluationDue(status) ? await EvaluateAsync(watch, status) : null;
        CheckpointResult? saved = null;
        while (true)
        {
            if (stop.Requested is not null || status.Step >= stopStep)
            {
                return await StopAsync(watch, status, saved);
            }

            if (status.Step == status.TotalSteps)
            {
                return await CompleteAsync(watch, status, evaluation!);
            }

            long epochEnd = Math.Min((status.Step / status.StepsPerEpoch + 1) * status.StepsPerEpoch, status.TotalSteps);
            long nextSave = plan.NextStep(status.Step);
            status = await TrainAsync(watch, status, Math.Min(Math.Min(epochEnd, stopStep), nextSave));
            saved = null;
            if (status.Step == epochEnd && epochEnd < stopStep && stop.Requested is null)
            {
                evaluation = await EvaluateAsync(watch, status);
                saved = epochEnd == status.TotalSteps ? null : await SaveAsync(watch, status, null);
            }
            else if (status.Step < stopStep && stop.Requested is null && (status.Step == nextSave || plan.IsDue))
            {
                saved = await SaveAsync(watch, status, null);
            }
        }
    }

    /// <returns>The status at <paramref name="untilStep"/>, or at an earlier step if the run is asked to stop or a checkpoint is due.</returns>
    private async Task<JobStatus> TrainAsync(JobWatch watch, JobStatus status, long untilStep)
    {
        long firstStep = status.Step;
        while (status.Step < untilStep && stop.Requested is null && !(status.Step > firstStep && plan.IsDue))
        {
            double seconds = JobWatch.SecondsPerStep(status);
            long slice = seconds > 0 ? Math.Max(1, (long)Math.Min(SliceSeconds / seconds, 1e6)) : FirstSlice;
            long sliceEnd = Math.Min(untilStep, status.Step + slice);
            await job.RunAsync(sliceEnd);
            status = await watch.UntilIdleAsync(sliceEnd);
        }

        return status;
    }

    /// <summary>A run that was stopped just at the end of an epoch has not evaluated it: that is made up for when it goes on.</summary>
    private bool IsEvaluationDue(JobStatus status) =>
        status.Step == status.TotalSteps
        || (status.Step > 0 && status.Step % status.StepsPerEpoch == 0 && lastEvaluatedStep < status.Step);

    private async Task<EvaluationResult> EvaluateAsync(JobWatch watch, JobStatus status)
    {
        await job.EvaluateAsync();
        JobStatus evaluated = await watch.UntilIdleAsync(status.Step);
        EvaluationResult result = evaluated.Evaluation
            ?? throw new ConvNetException(ExitCode.Bug, $"the job evaluated step {status.Step}, but reports no result.");
        plan.Evaluated(result);
        run.Publish(new RunEvent.EpochCompleted(
            EpochsOf(status.Step, status), EpochsOf(status.TotalSteps, status), status.TrainLoss, result, evaluated.ImagesPerSecond));
        return result;
    }

    private async Task<CheckpointResult> SaveAsync(JobWatch watch, JobStatus idle, FinalResult? final)
    {
        await job.CheckpointAsync(folder.FullPath, final, plan.Retention(idle.StepsPerEpoch));
        JobStatus status = await watch.UntilIdleAsync(idle.Step);
        CheckpointResult checkpoint = status.Checkpoint
            ?? throw new ConvNetException(ExitCode.Bug, $"the job saved step {status.Step}, but reports no checkpoint.");
        plan.Saved();
        run.Publish(new RunEvent.CheckpointSaved(checkpoint));
        return checkpoint;
    }

    private async Task<ExitCode> CompleteAsync(JobWatch watch, JobStatus status, EvaluationResult evaluation)
    {
        CheckpointResult checkpoint = await SaveAsync(watch, status, new FinalResult(status.TrainLoss, evaluation.Loss, evaluation.Accuracy));
        await job.EndAsync(JobState.Completed);
        run.Publish(new RunEvent.Completed(folder.FullPath, RunSummary.From(_latest!, checkpoint, evaluation.Accuracy)));
        return ExitCode.Ok;
    }

    private async Task<ExitCode> StopAsync(JobWatch watch, JobStatus status, CheckpointResult? saved)
    {
        CheckpointResult checkpoint = saved ?? await SaveAsync(watch, status, null);
        await job.EndAsync(JobState.Stopped);
        run.Publish(new RunEvent.Stopped(folder.FullPath, RunSummary.From(_latest!, checkpoint, null)));
        return stop.Requested ?? ExitCode.Ok;
    }

    /// <summary>The latest status counts most: a worker may report its part of the last step a moment after the step is committed.</summary>
    private void Observe(JobStatus status)
    {
        _latest = status;
        StepRow[] rows = [.. status.RecentSteps.Where(row => row.Step >= _nextRow).OrderBy(row => row.Step)];
        if (rows.Length > 0)
        {
            _nextRow = rows[^1].Step + 1;
            run.Publish(new RunEvent.StepsCommitted(rows, status.StepsPerEpoch));
        }

        foreach (string warning in status.Warnings.Where(_warnings.Add))
        {
            run.Publish(new RunEvent.Warning(warning));
        }

        run.Publish(new RunEvent.Progress(status));
    }

    /// <summary>Epochs in so many steps, the last one perhaps in part.</summary>
    private static long EpochsOf(long steps, JobStatus status) => (steps + status.StepsPerEpoch - 1) / status.StepsPerEpoch;
}
