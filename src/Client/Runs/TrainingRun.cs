using ConvNet.Client.Views;
using ConvNet.Engine;
using ConvNet.Grains.Contracts;

namespace ConvNet.Client.Runs;

/// <summary>
/// Orchestrates a job that has been submitted: epoch by epoch it trains, evaluates and saves a checkpoint, until the job is
/// complete, the stop step is reached, or somebody asks it to stop.
/// </summary>
internal sealed class TrainingRun(IJobGrain job, RunFolder folder, RunEvents events, MetricsFile metrics, RunView view, StopSignal stop)
{
    private int _warnings;

    /// <param name="stopAfter">Completed steps at which the run stops without evaluation, or null.</param>
    public async Task<ExitCode> RunAsync(long? stopAfter)
    {
        var watch = new JobWatch(job, Observe);
        JobStatus status = await watch.UntilIdleAsync();
        EvaluationResult? evaluation = await EvaluateSkippedEpochAsync(watch, status, stopAfter);
        CheckpointResult? saved = null;
        while (true)
        {
            if (stop.Requested is not null || status.Step >= (stopAfter ?? long.MaxValue))
            {
                return await StopAsync(watch, status, saved);
            }

            if (status.Step == status.TotalSteps)
            {
                return await CompleteAsync(watch, status, evaluation!);
            }

            long epochEnd = Math.Min((status.Step / status.StepsPerEpoch + 1) * status.StepsPerEpoch, status.TotalSteps);
            await job.RunAsync(Math.Min(epochEnd, stopAfter ?? long.MaxValue));
            status = await watch.UntilIdleAsync(stop.Token);
            saved = null;
            if (status.Step == epochEnd && epochEnd < (stopAfter ?? long.MaxValue) && stop.Requested is null)
            {
                evaluation = await EvaluateAsync(watch, status);
                saved = epochEnd == status.TotalSteps ? null : await SaveAsync(watch, null);
            }
        }
    }

    /// <summary>A run that was stopped just at the end of an epoch has not evaluated it: that is made up for when it goes on.</summary>
    private async Task<EvaluationResult?> EvaluateSkippedEpochAsync(JobWatch watch, JobStatus status, long? stopAfter)
    {
        bool atEnd = status.Step > 0 && (status.Step % status.StepsPerEpoch == 0 || status.Step == status.TotalSteps);
        bool isDue = atEnd && (metrics.LastEvaluatedStep < status.Step || status.Step == status.TotalSteps);
        return isDue && status.Step < (stopAfter ?? long.MaxValue) ? await EvaluateAsync(watch, status) : null;
    }

    private async Task<EvaluationResult> EvaluateAsync(JobWatch watch, JobStatus status)
    {
        await job.EvaluateAsync();
        JobStatus evaluated = await watch.UntilIdleAsync();
        EvaluationResult result = evaluated.Evaluation
            ?? throw new ConvNetException(ExitCode.Bug, $"the job evaluated step {status.Step}, but reports no result.");
        metrics.AddEvaluation(result, status.StepsPerEpoch);
        long epoch = (status.Step + status.StepsPerEpoch - 1) / status.StepsPerEpoch;
        events.EpochCompleted(epoch, status.Step, status.TrainLoss, result, evaluated.ImagesPerSecond);
        view.EpochCompleted(epoch, status, result);
        return result;
    }

    private async Task<CheckpointResult> SaveAsync(JobWatch watch, FinalResult? final)
    {
        await job.CheckpointAsync(folder.FullPath, final);
        JobStatus status = await watch.UntilIdleAsync();
        CheckpointResult checkpoint = status.Checkpoint
            ?? throw new ConvNetException(ExitCode.Bug, $"the job saved step {status.Step}, but reports no checkpoint.");
        events.CheckpointSaved(checkpoint);
        view.CheckpointSaved(checkpoint);
        return checkpoint;
    }

    private async Task<ExitCode> CompleteAsync(JobWatch watch, JobStatus status, EvaluationResult evaluation)
    {
        CheckpointResult checkpoint = await SaveAsync(watch, new FinalResult(status.TrainLoss, evaluation.Loss, evaluation.Accuracy));
        await EndAsync(JobState.Completed, RunSummary.From(status, checkpoint, evaluation.Accuracy));
        return ExitCode.Ok;
    }

    private async Task<ExitCode> StopAsync(JobWatch watch, JobStatus status, CheckpointResult? saved)
    {
        CheckpointResult checkpoint = saved ?? await SaveAsync(watch, null);
        await EndAsync(JobState.Stopped, RunSummary.From(status, checkpoint, null));
        return stop.Requested ?? ExitCode.Ok;
    }

    private async Task EndAsync(JobState state, RunSummary summary)
    {
        await job.EndAsync(state);
        view.Ended(summary, folder);
        events.Ended(summary);
    }

    private void Observe(JobStatus status)
    {
        metrics.AddSteps(status.RecentSteps, Math.Max(1, status.StepsPerEpoch));
        foreach (string warning in status.Warnings.Skip(_warnings))
        {
            _warnings++;
            events.Warning(warning);
            view.Warning(warning);
        }

        view.Progress(status);
    }
}
