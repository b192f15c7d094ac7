using ConvNet.Client.Cluster;
using ConvNet.Client.Configuration;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;
using ConvNet.Engine.Models;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using ConvNet.Silo.Processes;

namespace ConvNet.Client.Runs;

/// <summary>A console that becomes the client of a job that has lost its own: it holds the lease and writes the run folder from then on.</summary>
/// <param name="job">As it says it is: orphaned.</param>
internal sealed class TakenUpSession(ClusterConnection cluster, JobStatus job, StopSignal stop)
{
    private readonly IJobGrain _grain = cluster.Job(job.JobId);

    /// <param name="sinks">Take the events besides the files of the folder; disposed of at the end.</param>
    /// <param name="runs">Gets the run folder if the one of before is not here, or a client that is suspended holds it.</param>
    /// <returns>The exit code of the job, or of what went wrong, which has been reported.</returns>
    /// <exception cref="ConvNetException">Somebody else has just taken the job up (exit code 6).</exception>
    /// <exception cref="OperationCanceledException">By the stop signal: the job is without a client again.</exception>
    public async Task<ExitCode> RunAsync(IReadOnlyList<RunSink> sinks, string runs)
    {
        using var run = new RunStream(sinks);
        (RunFolder folder, IDisposable held) = Open(runs, run);
        using (held)
        {
            try
            {
                return await RunAsync(folder, run);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                (ExitCode code, string message) = Failures.Explain(e);
                run.Publish(new RunEvent.Failed(code, message));
                return code;
            }
            finally
            {
                run.Dispose();
                folder.DeleteUnlessTrained();
            }
        }
    }

    /// <summary>The run folder that the job names, if this machine has it and nobody holds it; else a new one.</summary>
    private (RunFolder Folder, IDisposable Held) Open(string runs, RunStream run)
    {
        try
        {
            if (RunFolder.TryOpen(job.RunFolder, job.JobId) is { } own)
            {
                return (own, own.Lock());
            }
        }
        catch (ConvNetException e) when (e.ExitCode == ExitCode.Conflict)
        {
            run.Publish(new RunEvent.Warning($"{e.Message.TrimEnd('.')}; this console writes a run folder of its own, from its first step on."));
        }

        RunFolder made = RunFolder.CreateNext(runs);
        return (made, made.Lock());
    }

    private async Task<ExitCode> RunAsync(RunFolder folder, RunStream run)
    {
        using FolderProbe probe = FolderProbe.Leave(folder.FullPath);
        var request = new JobTakeUp(Guid.NewGuid().ToString("N"), folder.FullPath, probe.Secret);
        var contact = new ClusterContact(() => $"job '{job.JobId}'", TimeProvider.System)
        {
            Witness = cluster.Witness,
            Tell = waits => run.Publish(new RunEvent.Warning(waits)),
        };
        stop.Token.ThrowIfCancellationRequested();
        TakenUpJob taken = await contact.AskAsync(() => _grain.TakeUpAsync(request), stop.Token);
        JobSubmission submission = taken.Submission;
        var spec = JobSpec.FromJson(submission.JobJson);
        PrivateFile.WriteText(folder.ConfigurationPath, submission.Configuration!);
        if (folder.IsNew)
        {
            PrivateFile.WriteText(folder.ModelPath, ModelFile.Write(spec.Model));
        }

        var metrics = new MetricsFile(folder.MetricsPath, job.Step);
        run.Add(metrics);
        run.Add(JsonLines.Append(folder.EventsPath, job.JobId));
        run.Publish(new RunEvent.Started(
            folder.FullPath,
            submission.Options,
            [
                $"Job {job.JobId}, {job.Model} on {job.Data}, was orphaned at step {job.Step} of {job.TotalSteps}, and goes on from there. " +
                "Ctrl-C leaves it without a client again.",
                $"Run folder: {folder.FullPath}",
            ]));
        string? checkpoint = Directory.Exists(submission.Checkpoint) ? submission.Checkpoint : null;
        var goingOn = new RunRequest(
            job.JobId, folder.FullPath, new TrainConfiguration(), spec, checkpoint, metrics.LastStep, submission.Plan.StopAfter, Cluster: null);
        var training = new TrainingRun(_grain, goingOn, run, stop, TimeProvider.System)
        {
            Client = request.Client,
            Stores = key => cluster.Grains.GetGrain<ICheckpointStoreGrain>(key),
            Probe = probe,
            Witness = cluster.Witness,
        };
        TrainingPlan plan = submission.Plan with { Evaluations = MetricsFile.EvaluationsUntil(folder.MetricsPath, job.Step) };
        RunEvent end = await training.FollowAsync(plan, taken.FirstEvent, stop.Token);
        if (end is not RunEvent.Failed failed)
        {
            run.Publish(end);
            return ExitCode.Ok;
        }

        run.Publish(failed with { Error = failed.Error + OrphanedJob.Remedy(training.Latest) });
        return failed.ExitCode;
    }
}
